package tintype;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.core.memory.DataOutputView;

/** Field by field, between Flink's tasks and into its state. */
final class Serializers {
    private Serializers() { }

    abstract static class ByHand<T> extends TypeSerializerSingleton<T> {
        @Override public boolean isImmutableType() {
            return false;
        }

        @Override public int getLength() {
            return -1;
        }

        @Override public T copy(T from) {
            return copy(from, createInstance());
        }

        @Override public T deserialize(DataInputView in) throws IOException {
            return deserialize(createInstance(), in);
        }

        @Override public void copy(DataInputView in, DataOutputView out) throws IOException {
            serialize(deserialize(in), out);
        }
    }

    abstract static class OfWritten<T extends Written<T>> extends ByHand<T> {
        @Override public T copy(T from, T reuse) {
            reuse.set(from);
            return reuse;
        }

        @Override public void serialize(T one, DataOutputView out) throws IOException {
            one.write(out);
        }

        @Override public T deserialize(T reuse, DataInputView in) throws IOException {
            return reuse.read(in);
        }
    }

    /** Of changes. */
    public static final class OfChange extends OfWritten<Change> {
        @Override public Change createInstance() {
            return new Change();
        }

        @Override public TypeSerializerSnapshot<Change> snapshotConfiguration() {
            return new ChangeSnapshot();
        }
    }

    /** Of rows. */
    public static final class OfRow extends OfWritten<Row> {
        @Override public Row createInstance() {
            return new Row();
        }

        @Override public TypeSerializerSnapshot<Row> snapshotConfiguration() {
            return new RowSnapshot();
        }
    }

    /** Of customers without what is held apart. */
    public static class OfProfile extends ByHand<Customer> {
        @Override public Customer createInstance() {
            return new Customer();
        }

        @Override public Customer copy(Customer from, Customer ignored) {
            try {
                DataOutputSerializer out = new DataOutputSerializer(512);
                serialize(from, out);
                return deserialize(new DataInputDeserializer(out.getSharedBuffer(), 0, out.length()));
            } catch (IOException error) {
                throw new UncheckedIOException(error); // of a buffer in memory
            }
        }

        @Override public void serialize(Customer customer, DataOutputView out) throws IOException {
            customer.writeProfile(out);
        }

        @Override public Customer deserialize(Customer ignored, DataInputView in) throws IOException {
            Customer customer = createInstance(); // never reused: documents wait in the sink
            customer.readProfile(in);
            return customer;
        }

        @Override public TypeSerializerSnapshot<Customer> snapshotConfiguration() {
            return new ProfileSnapshot();
        }
    }

    /** Of customers with their rows and what falls due. */
    public static final class OfWhole extends OfProfile {
        @Override public void serialize(Customer customer, DataOutputView out) throws IOException {
            super.serialize(customer, out);
            ((InHeap) customer.held).write(out);
        }

        @Override public Customer deserialize(Customer ignored, DataInputView in) throws IOException {
            Customer customer = super.deserialize(ignored, in);
            customer.held = InHeap.read(in);
            return customer;
        }

        @Override public TypeSerializerSnapshot<Customer> snapshotConfiguration() {
            return new WholeSnapshot();
        }
    }

    /** What Flink keeps of the first. */
    public static final class ChangeSnapshot extends SimpleTypeSerializerSnapshot<Change> {
        public ChangeSnapshot() {
            super(OfChange::new);
        }
    }

    /** Of the second. */
    public static final class RowSnapshot extends SimpleTypeSerializerSnapshot<Row> {
        public RowSnapshot() {
            super(OfRow::new);
        }
    }

    /** Of the third. */
    public static final class ProfileSnapshot extends SimpleTypeSerializerSnapshot<Customer> {
        public ProfileSnapshot() {
            super(OfProfile::new);
        }
    }

    /** And of the last. */
    public static final class WholeSnapshot extends SimpleTypeSerializerSnapshot<Customer> {
        public WholeSnapshot() {
            super(OfWhole::new);
        }
    }
}
