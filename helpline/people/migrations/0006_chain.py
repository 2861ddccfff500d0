"""The chain of the log, written by the database when a transaction commits.

Two steps, both deferred: the first only notes that a row came, the second takes the lock and writes the hash. What other
deferred triggers lock is locked between the two, so that two commits never wait for each other in a ring.
"""

from django.db import migrations

CHAIN = """
CREATE FUNCTION helpline_log_text(entry people_logentry) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_array(
        entry.id, to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), entry.user_id, entry.role, entry.event,
        entry."case", entry.call, entry."row", entry.why, host(entry.source), entry.codes
    )::text
$$;

CREATE FUNCTION helpline_log_came() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO people_loglink (entry) VALUES (NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION helpline_log_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    last people_loglink;
BEGIN
    PERFORM pg_advisory_xact_lock(7262015);
    SELECT * INTO last FROM people_loglink WHERE place IS NOT NULL ORDER BY place DESC LIMIT 1;
    UPDATE people_loglink link
       SET place = coalesce(last.place, 0) + 1,
           hash = sha256(coalesce(last.hash, ''::bytea) || convert_to(helpline_log_text(told), 'UTF8'))
      FROM people_logentry told
     WHERE link.entry = NEW.entry AND link.place IS NULL AND told.id = NEW.entry;
    RETURN NULL;
END $$;

CREATE FUNCTION helpline_link_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.place IS NULL THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME;
END $$;

-- What was logged before there was a chain stands in it too, in the order of its numbers.
DO $$
DECLARE
    told people_logentry;
    at_place bigint := 0;
    before bytea := '';
BEGIN
    FOR told IN SELECT * FROM people_logentry ORDER BY id LOOP
        at_place := at_place + 1;
        before := sha256(before || convert_to(helpline_log_text(told), 'UTF8'));
        INSERT INTO people_loglink (entry, place, hash) VALUES (told.id, at_place, before);
    END LOOP;
END $$;

CREATE CONSTRAINT TRIGGER log_came AFTER INSERT ON people_logentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION helpline_log_came();
CREATE CONSTRAINT TRIGGER log_chain AFTER INSERT ON people_loglink
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION helpline_log_chain();
CREATE TRIGGER link_stays BEFORE UPDATE OR DELETE ON people_loglink
    FOR EACH ROW EXECUTE FUNCTION helpline_link_stays();
CREATE TRIGGER link_no_truncate BEFORE TRUNCATE ON people_loglink
    FOR EACH STATEMENT EXECUTE FUNCTION helpline_link_stays();

REVOKE ALL ON FUNCTION helpline_log_came(), helpline_log_chain() FROM PUBLIC;
"""

UNCHAIN = """
DROP TRIGGER log_came ON people_logentry;
DROP TRIGGER log_chain ON people_loglink;
DROP TRIGGER link_stays ON people_loglink;
DROP TRIGGER link_no_truncate ON people_loglink;
DROP FUNCTION helpline_log_came();
DROP FUNCTION helpline_log_chain();
DROP FUNCTION helpline_link_stays();
DROP FUNCTION helpline_log_text(people_logentry);
"""


class Migration(migrations.Migration):
    """After the fields of the log are what they are."""

    dependencies = [("people", "0005_the_guard")]
    operations = [migrations.RunSQL(CHAIN, UNCHAIN)]
