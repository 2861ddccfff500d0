"""What in a free text may point somebody out: a table of sentences, those that do and those that do not."""

import time

import pytest

from intake import hints

# sentence -> what is found in it
TELLS = {
    # personal and coordination numbers
    "Personnummer 20050412-1234.": ["20050412-1234"],
    "Hon uppgav 050412-1234 till skolan": ["050412-1234"],
    "samordningsnummer 199104721234": ["199104721234"],
    "Farfar är 121212+1212": ["121212+1212"],
    # phone numbers
    "Ring 070-123 45 67 efter nio": ["070-123 45 67"],
    "nås på 0701234567": ["0701234567"],
    "Hemnumret är 0500-12 34 56.": ["0500-12 34 56"],
    "use +46 70 123 45 67": ["+46 70 123 45 67"],
    "hans nya nummer (0046701234567)": ["0046701234567"],
    # e-mail and user names
    "skriv till kalle.anka+x@example.se": ["kalle.anka+x@example.se"],
    "Han heter @svartsol88 där": ["@svartsol88"],
    "kontot @a_b.c är hans": ["@a_b.c"],
    # addresses
    "De bor på Storgatan 5 i stan": ["Storgatan 5"],
    "bor på storgatan 12B": ["storgatan 12B"],
    "Hon är på Norra Kungsvägen 112": ["Norra Kungsvägen 112"],
    "Möts vid Sankt Olofs gata 3": ["Sankt Olofs gata 3"],
    "Adress: Ekbacken 7": ["Ekbacken 7"],
    "lives at 12 or Baker Street 22": ["Baker Street 22"],
    "541 30 Skövde": ["541 30 Skövde"],
    "skickas till 53130 Lidköping": ["53130 Lidköping"],
    # names in the middle of a sentence
    "Hennes son Kevin har slutat prata": ["Kevin"],
    "Jag tror att Lindqvist är den som styr": ["Lindqvist"],
    "det är Sara Lindqvist som ringer": ["Sara Lindqvist"],
    "han umgås med Bo": ["Bo"],
    "mötte Björn i går": ["Björn"],
    "brodern till Viktor": ["Viktor"],
    "jag pratade med Anna-Karin om det": ["Anna-Karin"],
    "She says that Dragan hit her": ["Dragan"],
    # in the genitive, in small letters, first in a sentence, where the word is nothing but a name
    "Mohammeds bror är orolig": [],  # also the prophet: in front of a sentence it tells nothing for sure
    "Abdullahis bror är orolig": ["Abdullahis"],
    "det är fatima som säger det": ["fatima"],
    "Kerstin ringde igen": ["Kerstin"],
    "Berivan vill inte hem": ["Berivan"],
    "Faadumo är rädd": ["Faadumo"],
    "Reza hotade henne": ["Reza"],
    "Nedžad kör bilen": ["Nedžad"],
    "Päivi på skolan vet": ["Päivi"],
    "Tesfay har rest": ["Tesfay"],
    # several at once, each once
    "Kerstin nås på 0701234567, Storgatan 5, k@x.se": ["0701234567", "k@x.se", "Storgatan 5", "Kerstin"],
}
SAYS_NOTHING = [
    "Sonen har hämtat ett gevär i ladan.",
    "",
    "Hoppas att det blir bättre. Han sover dåligt.",
    "Skövde kommun och Lidköping känner till det",
    "de åkte till Falköping i lördags",
    "Hon ringer från Mariestad",
    "Polisen och Socialtjänsten är inkopplade",
    "han tittar på NMR och Nordiska motståndsrörelsen",
    "pratar om IS och Daesh på Discord",
    "åkte till Syrien i Mars",
    "Modern: Hon är rädd. Sonen: Vill inte prata.",
    "“Ni ska få se”, sa han. ”Vi kommer.”",
    "- Slutade skolan\n- Har köpt kniv\n- Sover inte",
    "Kl. 14.05 den 22 november 2026",
    "den 2026-11-22 klockan 14.05",
    "mötet 22/11 kl 18.30",
    "Han har 40 000 kr i skuld och 3 skulder till",
    "cirka 150 000 kronor försvann",
    "våren kom och sonen bytte stil",
    "det var sten och grus, en björn, en stig i skogen",
    "hon sa att mannen kan komma hem i maj",
    "med nova och saga som intresse",
    "en man per bil, bo hemma, dina kläder, said it, may come",
    "112 ringdes 14.20, SOS Alarm referens 4",
    "Ring 0500-49 77 82 om det blir värre",
    "Orostelefonen 020-100 200 är stängd",
    "LVU och SoL 14:4 gäller",
    "Hen är 17 år, går i ettan, version 3.11",
    "Försäkringskassan, BUP och Arbetsförmedlingen vet",
    "Han firar Ramadan och läser Koranen",
    "the worker asked if I could call back on Monday",
    "De flyttade i julas… Sedan blev det tyst",
    "HAN SKREK ATT ALLA SKULLE DÖ",
    "kapitel 12 sidan 345 rad 6789",
    "IP 192.168.10.200 i loggen",
    "10 gånger på 20 dagar",
    "Första gången var 2019, andra gången 2021 och 2022",
    "vägen 12 kilometer bort",
    "på skolgården 4 gånger och gångvägen 2 minuter bort",
]


@pytest.mark.parametrize(("text", "found"), TELLS.items())
def test_what_points_somebody_out_is_found(text, found):
    assert hints.found_in(text) == found


@pytest.mark.parametrize("text", SAYS_NOTHING)
def test_what_points_nobody_out_is_left_in_peace(text):
    assert hints.found_in(text) == []


def test_addresses_are_told_from_the_rest():
    assert hints.addresses_in("Kerstin bor på Storgatan 5, 541 30 Skövde, tel 0701234567") == [
        "Storgatan 5",
        "541 30 Skövde",
    ]


def test_a_number_is_not_said_again_in_full():
    assert list(hints.quoted(["0701234567", "Kerstin"])) == ["0701…", "Kerstin"]


def test_the_names_are_many_and_none_is_a_place_or_an_authority():
    names = hints.given_names()
    assert len(names) > 900
    assert not {"skövde", "polisen", "hoppas", "han", "hon", "den", "och"} & names


def test_a_long_text_is_read_fast():
    text = "Han sa att det var 12 personer och 0701 där. Mamma ringde Skolan 4 gånger @ " * 260
    begun = time.perf_counter()
    hints.found_in(text)
    assert time.perf_counter() - begun < 1
