package tintype;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** What is kept of one customer beside its rows and what falls due: 20 metrics, scores, 20 tags, memory of triggers. */
class Profile {
    static final int CATEGORIES = 12, COOL_DOWN = 43_200;

    String name;
    int minute;                         // to which everything here has been brought
    int registered = Integer.MAX_VALUE; // the minute at which the outside has been asked to wake this customer
    int nextDue = Integer.MAX_VALUE;    // the earliest minute at which something falls due, for who holds it apart
    int tags;
    boolean byRow;                      // whether a row has touched it last, or time; not written

    int orders30, orders365, cancelled30, ordersBefore, views10m, views90, categories90, seen7;
    long paid30, paid365, refunded365, seconds1d;
    int largest = -1, worst = 99;
    Row first, last;
    int[] bought, seen;                 // rows by category; null: there was none yet
    int r, f, m;
    int lastMinute = -1, until, scheduled;
    boolean truth, sticks;
    final int[] sent = {-COOL_DOWN, -COOL_DOWN, -COOL_DOWN, -COOL_DOWN, -COOL_DOWN};

    /** Returns the declared metrics and the tags as the check of `tintype bench feed` wants them. */
    final String answer() {
        return String.format(
            "[\"%s\", [%d, %d, %d, %d, %s, %s, %s, %s, %d, %d, %d, %d, %d, %d, %d, %d, %s], %d]",
            name, orders30, orders365, paid30, paid365, average(),
            largest < 0 ? "null" : largest, category(first), category(last), categories90, cancelled30, ordersBefore,
            refunded365, views10m, views90, seconds1d, seen7, worst == 99 ? "null" : worst, tags);
    }

    /** Returns the document, as JSON: metrics, scores and tags at a minute. */
    final String document() {
        StringBuilder text = new StringBuilder(640).append("{\"minute\": ").append(minute)
            .append(", \"metrics\": {\"orders_30d\": ").append(orders30)
            .append(", \"orders_365d\": ").append(orders365)
            .append(", \"paid_30d\": ").append(paid30)
            .append(", \"paid_365d\": ").append(paid365)
            .append(", \"average_order\": ").append(average())
            .append(", \"largest_order\": ").append(largest < 0 ? "null" : largest)
            .append(", \"first_category\": ").append(category(first))
            .append(", \"last_category\": ").append(category(last))
            .append(", \"categories_90d\": ").append(categories90)
            .append(", \"cancelled_30d\": ").append(cancelled30)
            .append(", \"orders_before\": ").append(ordersBefore)
            .append(", \"refunded_365d\": ").append(refunded365)
            .append(", \"views_10m\": ").append(views10m)
            .append(", \"views_90d\": ").append(views90)
            .append(", \"seconds_1d\": ").append(seconds1d)
            .append(", \"seen_7d\": ").append(seen7)
            .append(", \"worst_90d\": ").append(worst == 99 ? "null" : worst)
            .append("}, \"rfm\": [").append(r).append(", ").append(f).append(", ").append(m).append("], \"tags\": [");
        for (int place = 0, found = 0; place < 20; place++) {
            if ((tags >> place & 1) != 0) {
                text.append(found++ > 0 ? ", \"a" : "\"a").append((place + 1) / 10).append((place + 1) % 10).append('"');
            }
        }
        return text.append("]}").toString();
    }

    private String average() {
        return orders365 > 0 ? "\"" + paid365 + "/" + orders365 + "\"" : "null";
    }

    private static String category(Row row) {
        return row == null ? "null" : "\"c" + row.category / 10 + row.category % 10 + "\"";
    }

    final void writeProfile(DataOutputView out) throws IOException {
        byte[] text = name.getBytes(StandardCharsets.ISO_8859_1);
        out.writeByte(text.length);
        out.write(text);
        for (int number : new int[] {
            minute, registered, nextDue, tags, orders30, orders365, cancelled30, ordersBefore, views10m, views90,
            categories90, seen7, largest, worst, r << 16 | f << 8 | m, lastMinute, until, scheduled, (truth ? 1 : 0) | (sticks ? 2 : 0)}) {
            out.writeInt(number);
        }
        out.writeLong(paid30);
        out.writeLong(paid365);
        out.writeLong(refunded365);
        out.writeLong(seconds1d);
        writeMany(sent, out);
        writeMany(bought, out);
        writeMany(seen, out);
        out.writeByte((first == null ? 0 : 1) | (last == null ? 0 : 2));
        if (first != null) {
            first.write(out);
        }
        if (last != null) {
            last.write(out);
        }
    }

    final void readProfile(DataInputView in) throws IOException {
        byte[] text = new byte[in.readByte()];
        in.readFully(text);
        name = new String(text, StandardCharsets.ISO_8859_1);
        minute = in.readInt();
        registered = in.readInt();
        nextDue = in.readInt();
        tags = in.readInt();
        orders30 = in.readInt();
        orders365 = in.readInt();
        cancelled30 = in.readInt();
        ordersBefore = in.readInt();
        views10m = in.readInt();
        views90 = in.readInt();
        categories90 = in.readInt();
        seen7 = in.readInt();
        largest = in.readInt();
        worst = in.readInt();
        int scores = in.readInt();
        r = scores >> 16;
        f = scores >> 8 & 0xff;
        m = scores & 0xff;
        lastMinute = in.readInt();
        until = in.readInt();
        scheduled = in.readInt();
        int bits = in.readInt();
        truth = (bits & 1) != 0;
        sticks = (bits & 2) != 0;
        paid30 = in.readLong();
        paid365 = in.readLong();
        refunded365 = in.readLong();
        seconds1d = in.readLong();
        System.arraycopy(readMany(in), 0, sent, 0, sent.length);
        bought = readMany(in);
        seen = readMany(in);
        int there = in.readByte();
        first = (there & 1) != 0 ? new Row().read(in) : null;
        last = (there & 2) != 0 ? new Row().read(in) : null;
    }

    private static void writeMany(int[] numbers, DataOutputView out) throws IOException {
        out.writeByte(numbers == null ? 0 : numbers.length);
        if (numbers != null) {
            for (int number : numbers) {
                out.writeInt(number);
            }
        }
    }

    private static int[] readMany(DataInputView in) throws IOException {
        int size = in.readByte();
        int[] numbers = size == 0 ? null : new int[size];
        for (int i = 0; i < size; i++) {
            numbers[i] = in.readInt();
        }
        return numbers;
    }
}
