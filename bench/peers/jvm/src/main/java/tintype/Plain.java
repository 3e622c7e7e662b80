package tintype;

import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One thread, no framework. Arguments: folder, rows of history, first live minute, last minute. */
public final class Plain {
    private final Map<String, Customer> customers = new HashMap<>();
    private final Map<Integer, List<Customer>> wake = new HashMap<>();
    private final Decoder decoder = new Decoder();
    private final Change change = new Change();
    private int clock = -1;

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        int history = Integer.parseInt(arguments[1]);
        Customer.liveFrom = Integer.parseInt(arguments[2]);
        int until = Integer.parseInt(arguments[3]);
        Input input = new Input(folder, history);
        Plain plain = new Plain();
        for (int i = 0; i < history; i++) {
            plain.take(input.get(i));
        }
        System.gc();
        long begin = cpu();
        for (byte[] message : input.live) {
            plain.take(message);
        }
        plain.advance(until);
        long taken = cpu() - begin;
        try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(folder.resolve("answers-java.jsonl")))) {
            plain.customers.values().forEach(customer -> out.println(customer.answer()));
        }
        System.out.printf("{\"us\": %.4f, \"effects\": %d}%n", taken / 1e3 / input.live.length,
            Customer.transitions + Customer.decisions);
    }

    private void take(byte[] message) {
        decoder.decode(message, change);
        if (change.minute > clock) {
            advance(change.minute);
        }
        Customer customer = customers.get(change.member);
        if (customer == null) {
            customer = new Customer(change.member, new InHeap());
            customers.put(change.member, customer);
        }
        customer.change(change, change.minute);
        register(customer);
    }

    private void advance(int minute) {
        if (clock < 0) {
            clock = minute - 1;
        }
        while (clock < minute) {
            List<Customer> waking = wake.remove(++clock);
            if (waking == null) {
                continue;
            }
            for (Customer customer : waking) {
                if (customer.registered == clock) {
                    customer.registered = Integer.MAX_VALUE;
                }
                customer.advance(clock);
                register(customer);
            }
        }
    }

    private void register(Customer customer) {
        if (customer.held.next() < customer.registered) {
            customer.registered = customer.held.next();
            wake.computeIfAbsent(customer.registered, ignored -> new ArrayList<>()).add(customer);
        }
    }

    static long cpu() {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return system.getProcessCpuTime();
    }
}
