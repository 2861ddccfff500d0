"""What people write on the pages of this floor, read and checked."""
