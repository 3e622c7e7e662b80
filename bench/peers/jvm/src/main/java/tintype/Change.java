package tintype;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** One change of one row, as the shop reads it. Reused from message to message. */
public final class Change implements Written<Change> {
    static final int ORDERS = 0, REFUNDS = 1, TICKETS = 2, VIEWS = 3;
    static final String[] TABLES = {"orders", "refunds", "tickets", "views"};

    String member;
    int minute;
    byte op;      // 'c', 'u', 'd'
    byte source;
    long key;
    long position;
    long eventUs;
    int value;    // amount in minor units, score or seconds
    byte status;  // code of Decoder.STATUSES
    byte category;

    @Override public void set(Change from) {
        member = from.member;
        minute = from.minute;
        op = from.op;
        source = from.source;
        key = from.key;
        position = from.position;
        eventUs = from.eventUs;
        value = from.value;
        status = from.status;
        category = from.category;
    }

    @Override public void write(DataOutputView out) throws IOException {
        byte[] name = member.getBytes(StandardCharsets.ISO_8859_1);
        out.writeByte(name.length);
        out.write(name);
        out.writeInt(minute);
        out.writeInt(op << 24 | source << 16 | status << 8 | category);
        out.writeLong(key);
        out.writeLong(position);
        out.writeLong(eventUs);
        out.writeInt(value);
    }

    @Override public Change read(DataInputView in) throws IOException {
        byte[] name = new byte[in.readByte()];
        in.readFully(name);
        member = new String(name, StandardCharsets.ISO_8859_1);
        minute = in.readInt();
        int packed = in.readInt();
        op = (byte) (packed >> 24);
        source = (byte) (packed >> 16);
        status = (byte) (packed >> 8);
        category = (byte) packed;
        key = in.readLong();
        position = in.readLong();
        eventUs = in.readLong();
        value = in.readInt();
        return this;
    }
}
