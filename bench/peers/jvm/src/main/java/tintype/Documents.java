package tintype;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import redis.clients.jedis.Jedis;

/**
 * Writes the newest document of each customer that changed, many in one MSET: when there are enough, when the
 * oldest has waited, and before a checkpoint completes. What is written twice after a failure is the same, so
 * documents come to what an exactly-once state says. With them goes how many rows have been taken.
 */
final class Documents implements Sink<Customer> {
    static final int MANY = 1_000;
    static final long WAIT_MS = 100;

    private final String store;
    private final String prefix;

    Documents(String store, String prefix) {
        this.store = store;
        this.prefix = prefix;
    }

    @Override public SinkWriter<Customer> createWriter(WriterInitContext context) {
        return new Writer(new Jedis(URI.create(store)), prefix, context.getProcessingTimeService());
    }

    private static final class Writer implements SinkWriter<Customer> {
        private final Jedis store;
        private final String prefix;
        private final ProcessingTimeService time;
        private final Map<String, Customer> waiting = new HashMap<>();
        private long taken;

        Writer(Jedis store, String prefix, ProcessingTimeService time) {
            this.store = store;
            this.prefix = prefix;
            this.time = time;
        }

        @Override public void write(Customer customer, Context context) {
            taken += customer.byRow ? 1 : 0;
            if (waiting.isEmpty()) {
                time.registerTimer(time.getCurrentProcessingTime() + WAIT_MS, moment -> flush(false));
            }
            waiting.put(customer.name, customer); // on the heap it is the state itself, and newer still when written
            if (waiting.size() == MANY) {
                flush(false);
            }
        }

        @Override public void flush(boolean endOfInput) {
            if (waiting.isEmpty()) {
                return;
            }
            byte[][] pairs = new byte[2 * waiting.size() + 2][];
            int at = 0;
            for (Customer customer : waiting.values()) {
                pairs[at++] = bytes(prefix + customer.name);
                pairs[at++] = bytes(customer.document());
            }
            pairs[at++] = bytes(prefix + "taken");
            pairs[at] = bytes(Long.toString(taken));
            store.mset(pairs);
            waiting.clear();
        }

        private static byte[] bytes(String text) {
            return text.getBytes(StandardCharsets.ISO_8859_1);
        }

        @Override public void close() {
            store.close();
        }
    }
}
