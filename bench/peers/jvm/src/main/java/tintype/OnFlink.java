package tintype;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;

/**
 * Flink with its state on the heap, parallelism 1, no checkpoints, objects reused, one timer a customer.
 * Arguments as of {@link Plain}.
 */
public final class OnFlink {
    static Input input;
    static long begin, end;
    static int until;
    static final List<Customer> CUSTOMERS = new ArrayList<>();

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        int history = Integer.parseInt(arguments[1]);
        Customer.liveFrom = Integer.parseInt(arguments[2]);
        until = Integer.parseInt(arguments[3]);
        input = new Input(folder, history);
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(1);
        environment.getConfig().enableObjectReuse();
        environment.getConfig().setAutoWatermarkInterval(0);
        environment.fromSequence(0, history + input.live.length - 1)
            .map(new Decode()).returns(OwnType.CHANGE)
            .assignTimestampsAndWatermarks(WatermarkStrategy.<Change>forGenerator(context -> new Minutes())
                .withTimestampAssigner((change, ignored) -> change.minute))
            .keyBy(change -> change.member, Types.STRING)
            .process(new Profiles())
            .sinkTo(new DiscardingSink<>());
        environment.execute();
        for (Customer customer : CUSTOMERS) {
            customer.advance(until);
        }
        long taken = end - begin;
        try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(folder.resolve("answers-flink.jsonl")))) {
            CUSTOMERS.forEach(customer -> out.println(customer.answer()));
        }
        System.out.printf("{\"us\": %.4f, \"effects\": %d}%n", taken / 1e3 / input.live.length,
            Customer.transitions + Customer.decisions);
    }

    static final class Decode implements org.apache.flink.api.common.functions.MapFunction<Long, Change> {
        private transient Decoder decoder;
        private transient Change change;

        @Override public Change map(Long number) {
            if (decoder == null) {
                decoder = new Decoder();
                change = new Change();
            }
            int at = number.intValue();
            if (at == input.history) {
                System.gc();
                begin = Plain.cpu();
            }
            decoder.decode(input.get(at), change);
            return change;
        }
    }

    /** A watermark whenever a minute begins; time is counted in minutes. */
    static final class Minutes implements WatermarkGenerator<Change> {
        private long clock = Long.MIN_VALUE;

        @Override public void onEvent(Change change, long timestamp, WatermarkOutput output) {
            if (change.minute > clock) {
                clock = change.minute;
                output.emitWatermark(new Watermark(clock));
            }
        }

        @Override public void onPeriodicEmit(WatermarkOutput output) { }
    }

    static final class Profiles extends KeyedProcessFunction<String, Change, Long> {
        private transient ValueState<Customer> state;
        private int taken;

        @Override public void open(OpenContext context) {
            state = getRuntimeContext().getState(new ValueStateDescriptor<>("profile", new Serializers.OfWhole()));
        }

        @Override public void processElement(Change change, Context context, Collector<Long> out) throws Exception {
            Customer customer = state.value();
            if (customer == null) {
                customer = new Customer(change.member, new InHeap());
                CUSTOMERS.add(customer);
                state.update(customer);
            }
            long before = Customer.transitions + Customer.decisions;
            customer.change(change, change.minute);
            register(customer, context);
            emit(before, out);
            if (++taken == input.history + input.live.length) {
                end = Plain.cpu();
            }
        }

        @Override public void onTimer(long minute, OnTimerContext context, Collector<Long> out) throws Exception {
            if (minute > until) { // the watermark at the end of the stream: nothing that falls due then is asked for
                return;
            }
            Customer customer = state.value();
            long before = Customer.transitions + Customer.decisions;
            if (customer.registered == minute) {
                customer.registered = Integer.MAX_VALUE;
            }
            customer.advance((int) minute);
            register(customer, context);
            emit(before, out);
        }

        private static void emit(long before, Collector<Long> out) {
            long effects = Customer.transitions + Customer.decisions - before;
            if (effects > 0) {
                out.collect(effects);
            }
        }

        private static void register(Customer customer, Context context) {
            if (customer.held.next() < customer.registered) {
                customer.registered = customer.held.next();
                context.timerService().registerEventTimeTimer(customer.registered);
            }
        }
    }
}
