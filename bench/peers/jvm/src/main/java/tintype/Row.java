package tintype;

/** A row that some window holds, or will hold. stage: how many window edges it has passed; -1 when it is gone. */
final class Row {
    final long key;
    final long position;
    final long eventUs;
    final int value;
    final byte source;
    final byte status;
    final byte category;
    byte stage;
    Row next; // in its hash bucket

    Row(Change change, int stage) {
        key = change.key;
        position = change.position;
        eventUs = change.eventUs;
        value = change.value;
        source = change.source;
        status = change.status;
        category = change.category;
        this.stage = (byte) stage;
    }

    int minute() {
        return (int) (eventUs / 60_000_000);
    }

    boolean kept() {
        return status != Decoder.CANCELLED;
    }

    boolean before(Row other) {
        return eventUs != other.eventUs ? eventUs < other.eventUs : key < other.key;
    }
}
