package tintype;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;

/**
 * Rows, and what falls due, of the customer who is the current key, each an entry of its own in RocksDB: a change
 * reads and writes its row, not all rows of its customer. Entries of what falls due begin with their minute, so that
 * RocksDB, which keeps keys by their bytes, has the earliest first.
 */
final class InState implements Held {
    private static final int KEY_BYTES = Integer.BYTES + 2 * Byte.BYTES + Long.BYTES + Integer.BYTES;

    private final List<MapState<Long, Row>> rows = new ArrayList<>();
    private final MapState<byte[], Long> due; // minute, what, source, key, mark; to the row's position, or -1
    private Customer customer;

    InState(RuntimeContext context) {
        for (String table : Change.TABLES) {
            rows.add(context.getMapState(new MapStateDescriptor<>(table, LongSerializer.INSTANCE, new Serializers.OfRow())));
        }
        due = context.getMapState(
            new MapStateDescriptor<>("due", BytePrimitiveArraySerializer.INSTANCE, LongSerializer.INSTANCE));
    }

    /** Serves a customer until the next one. */
    void serve(Customer one) {
        customer = one;
        one.held = this;
    }

    @Override public Row get(int source, long key) {
        return done(() -> rows.get(source).get(key));
    }

    @Override public Iterable<Row> rows(int source) {
        return done(() -> rows.get(source).values());
    }

    @Override public void put(Row row) {
        done(() -> {
            rows.get(row.source).put(row.key, row);
            return null;
        });
    }

    @Override public void passed(Row row) {
        put(row);
    }

    @Override public void remove(Row row) {
        done(() -> {
            rows.get(row.source).remove(row.key);
            return null;
        });
    }

    @Override public void push(int minute, byte what, Row of, int mark) {
        ByteBuffer key = ByteBuffer.allocate(KEY_BYTES).putInt(minute).put(what);
        key.put(of == null ? 0 : of.source).putLong(of == null ? 0 : of.key).putInt(mark);
        done(() -> {
            due.put(key.array(), of == null ? -1 : of.position);
            return null;
        });
        customer.nextDue = Math.min(customer.nextDue, minute);
    }

    @Override public int next() {
        return customer.nextDue;
    }

    @Override public void pop(Customer one) {
        int minute = customer.nextDue;
        customer.nextDue = Integer.MAX_VALUE;
        List<Map.Entry<byte[], Long>> found = new ArrayList<>();
        Iterator<Map.Entry<byte[], Long>> entries = done(() -> due.iterator());
        while (entries.hasNext()) {
            Map.Entry<byte[], Long> entry = entries.next();
            int its = ByteBuffer.wrap(entry.getKey()).getInt();
            if (its > minute) {
                customer.nextDue = its;
                break;
            }
            found.add(Map.entry(entry.getKey(), entry.getValue()));
            entries.remove();
        }
        for (Map.Entry<byte[], Long> entry : found) {
            ByteBuffer key = ByteBuffer.wrap(entry.getKey()).position(Integer.BYTES);
            byte what = key.get();
            byte source = key.get();
            Row row = entry.getValue() < 0 ? null : get(source, key.getLong(key.position()));
            boolean gone = row != null && row.position != entry.getValue();
            one.due(minute, what, gone ? null : row, key.getInt(KEY_BYTES - Integer.BYTES));
        }
    }

    private interface Access<T> {
        T run() throws Exception;
    }

    private static <T> T done(Access<T> access) {
        try {
            return access.run();
        } catch (Exception error) {
            throw new IllegalStateException(error); // the job fails and starts again from its checkpoint
        }
    }
}
