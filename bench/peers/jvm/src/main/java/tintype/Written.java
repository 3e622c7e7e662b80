package tintype;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** What says itself how it is written, field by field. */
interface Written<T> {
    /** Takes over all fields of another, so that none is shared that changes. */
    void set(T from);

    void write(DataOutputView out) throws IOException;

    T read(DataInputView in) throws IOException;
}
