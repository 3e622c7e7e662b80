package tintype;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** Writes a change between Flink's tasks by hand, field by field. */
public final class ChangeSerializer extends TypeSerializerSingleton<Change> {
    static final ChangeSerializer ONE = new ChangeSerializer();

    /** What Flink keeps of a serializer. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<Change> {
        public Snapshot() {
            super(() -> ONE);
        }
    }

    @Override public boolean isImmutableType() {
        return false;
    }

    @Override public Change createInstance() {
        return new Change();
    }

    @Override public Change copy(Change from) {
        return copy(from, new Change());
    }

    @Override public Change copy(Change from, Change reuse) {
        reuse.member = from.member;
        reuse.minute = from.minute;
        reuse.op = from.op;
        reuse.source = from.source;
        reuse.key = from.key;
        reuse.position = from.position;
        reuse.eventUs = from.eventUs;
        reuse.value = from.value;
        reuse.status = from.status;
        reuse.category = from.category;
        return reuse;
    }

    @Override public int getLength() {
        return -1;
    }

    @Override public void serialize(Change change, DataOutputView out) throws IOException {
        byte[] member = change.member.getBytes(StandardCharsets.ISO_8859_1);
        out.writeByte(member.length);
        out.write(member);
        out.writeInt(change.minute);
        out.writeInt(change.op << 24 | change.source << 16 | change.status << 8 | change.category);
        out.writeLong(change.key);
        out.writeLong(change.position);
        out.writeLong(change.eventUs);
        out.writeInt(change.value);
    }

    @Override public Change deserialize(DataInputView in) throws IOException {
        return deserialize(new Change(), in);
    }

    @Override public Change deserialize(Change change, DataInputView in) throws IOException {
        byte[] member = new byte[in.readByte()];
        in.readFully(member);
        change.member = new String(member, StandardCharsets.ISO_8859_1);
        change.minute = in.readInt();
        int packed = in.readInt();
        change.op = (byte) (packed >> 24);
        change.source = (byte) (packed >> 16);
        change.status = (byte) (packed >> 8);
        change.category = (byte) packed;
        change.key = in.readLong();
        change.position = in.readLong();
        change.eventUs = in.readLong();
        change.value = in.readInt();
        return change;
    }

    @Override public void copy(DataInputView in, DataOutputView out) throws IOException {
        serialize(deserialize(in), out);
    }

    @Override public TypeSerializerSnapshot<Change> snapshotConfiguration() {
        return new Snapshot();
    }
}
