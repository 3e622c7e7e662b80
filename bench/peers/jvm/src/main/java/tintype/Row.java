package tintype;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** A row that some window holds, or will hold. stage: how many window edges it has passed; -1 when it is gone. */
public final class Row implements Written<Row> {
    long key;
    long position;
    long eventUs;
    int value;
    byte source;
    byte status;
    byte category;
    byte stage;
    Row next; // in its hash bucket

    Row() { }

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

    @Override public void set(Row from) {
        key = from.key;
        position = from.position;
        eventUs = from.eventUs;
        value = from.value;
        source = from.source;
        status = from.status;
        category = from.category;
        stage = from.stage;
    }

    @Override public void write(DataOutputView out) throws IOException {
        out.writeLong(key);
        out.writeLong(position);
        out.writeLong(eventUs);
        out.writeInt(value);
        out.writeInt(source << 24 | status << 16 | category << 8 | stage & 0xff);
    }

    @Override public Row read(DataInputView in) throws IOException {
        key = in.readLong();
        position = in.readLong();
        eventUs = in.readLong();
        value = in.readInt();
        int packed = in.readInt();
        source = (byte) (packed >> 24);
        status = (byte) (packed >> 16);
        category = (byte) (packed >> 8);
        stage = (byte) packed;
        return this;
    }
}
