package tintype;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.BasicTypeInfo;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * From the topics of four tables to a document a customer in the store: Flink in one process, parallelism 1,
 * exactly-once checkpoints, objects reused. Runs until it is ended.
 *
 * <p>Arguments: brokers; the store's address; the shop, after which topics and documents are called
 * (bench/cluster/peer_names.py); hashmap or rocksdb; a folder for checkpoints.
 */
public final class OnKafka {
    static final long CHECKPOINT_MS = 1_000;

    private OnKafka() { }

    public static void main(String[] arguments) throws Exception {
        String shop = arguments[2];
        Configuration settings = new Configuration();
        settings.setString("state.backend.type", arguments[3]);
        settings.setString("execution.checkpointing.incremental", "true");
        settings.setString("taskmanager.memory.managed.size", "512m"); // of RocksDB; it has 128 by default here
        settings.setString("state.backend.rocksdb.use-bloom-filter", "true"); // most rows are new: looked for in vain
        settings.setString("state.backend.rocksdb.timer-service.factory", "HEAP"); // a timer a customer
        settings.setString("execution.checkpointing.storage", "filesystem");
        settings.setString("execution.checkpointing.dir", Path.of(arguments[4]).toUri().toString());
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(1, settings);
        environment.enableCheckpointing(CHECKPOINT_MS, CheckpointingMode.EXACTLY_ONCE);
        environment.getConfig().enableObjectReuse();
        environment.getConfig().setAutoWatermarkInterval(0); // timers follow the clock on the wall
        environment.fromSource(source(arguments[0], shop), WatermarkStrategy.noWatermarks(), "rows", OwnType.CHANGE)
            .keyBy(change -> change.member, BasicTypeInfo.STRING_TYPE_INFO)
            .process(new Keep(arguments[3].equals("rocksdb")), OwnType.CUSTOMER)
            .sinkTo(new Documents(arguments[1], "peer:" + shop + ":"));
        environment.execute();
    }

    private static KafkaSource<Change> source(String brokers, String shop) {
        List<String> topics = Arrays.stream(Change.TABLES).map(table -> shop + ".peer." + table).toList();
        return KafkaSource.<Change>builder()
            .setBootstrapServers(brokers)
            .setTopics(topics)
            .setGroupId(shop + ".peer")
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setProperty("isolation.level", "read_committed")
            .setValueOnlyDeserializer(new ChangeReader())
            .build();
    }

    /**
     * A profile a customer, brought to the minute of the clock on the wall; one timer a customer. On the heap a
     * customer is one object; in RocksDB rows are entries of their own.
     */
    static final class Keep extends KeyedProcessFunction<String, Change, Customer> {
        private static final int MINUTE_MS = 60_000;

        private final boolean apart;
        private transient ValueState<Customer> state;
        private transient InState held;

        Keep(boolean apart) {
            this.apart = apart;
        }

        @Override public void open(OpenContext context) {
            Serializers.OfProfile serializer = apart ? new Serializers.OfProfile() : new Serializers.OfWhole();
            state = getRuntimeContext().getState(new ValueStateDescriptor<>("profile", serializer));
            held = apart ? new InState(getRuntimeContext()) : null;
        }

        @Override public void processElement(Change change, Context context, Collector<Customer> out) throws Exception {
            Customer customer = state.value();
            if (customer == null) {
                customer = new Customer(change.member, apart ? null : new InHeap());
            }
            serve(customer);
            customer.change(change, Math.max(now(context), customer.minute));
            keep(customer, context);
            customer.byRow = true;
            out.collect(customer);
        }

        @Override public void onTimer(long ms, OnTimerContext context, Collector<Customer> out) throws Exception {
            Customer customer = state.value();
            serve(customer);
            int now = Math.max(now(context), customer.minute);
            if (customer.registered <= now) {
                customer.registered = Integer.MAX_VALUE;
            }
            boolean changed = customer.advance(now);
            keep(customer, context);
            if (changed) {
                customer.byRow = false;
                out.collect(customer);
            }
        }

        private void serve(Customer customer) {
            if (apart) {
                held.serve(customer);
            }
        }

        private static int now(Context context) {
            return (int) (context.timerService().currentProcessingTime() / MINUTE_MS);
        }

        private void keep(Customer customer, Context context) throws Exception {
            if (customer.held.next() < customer.registered) {
                customer.registered = customer.held.next();
                context.timerService().registerProcessingTimeTimer((long) customer.registered * MINUTE_MS);
            }
            state.update(customer);
        }
    }
}
