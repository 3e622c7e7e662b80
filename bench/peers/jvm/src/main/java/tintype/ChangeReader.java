package tintype;

import java.io.IOException;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.util.Collector;

/** Reads Debezium's envelopes by hand. */
public final class ChangeReader implements DeserializationSchema<Change> {
    private transient Decoder decoder;
    private transient Change change;

    @Override public void deserialize(byte[] message, Collector<Change> out) {
        if (decoder == null) {
            decoder = new Decoder();
            change = new Change();
        }
        decoder.decode(message, change);
        out.collect(change); // serialized at once on its way to its customer, so it can be reused
    }

    @Override public Change deserialize(byte[] message) throws IOException {
        throw new UnsupportedOperationException("the other one is called");
    }

    @Override public boolean isEndOfStream(Change next) {
        return false;
    }

    @Override public TypeInformation<Change> getProducedType() {
        return OwnType.CHANGE;
    }
}
