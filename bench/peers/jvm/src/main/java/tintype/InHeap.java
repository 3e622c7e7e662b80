package tintype;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** One customer's rows as objects in hash tables, and a heap of what falls due. */
final class InHeap implements Held {
    private static final byte NO_ROW = -1, GONE = -2;

    final Rows[] rows = {new Rows(), new Rows(), new Rows(), new Rows()};
    final Due due = new Due();

    @Override public Row get(int source, long key) {
        return rows[source].get(key);
    }

    @Override public Iterable<Row> rows(int source) {
        return rows[source];
    }

    @Override public void put(Row row) {
        rows[row.source].put(row);
    }

    @Override public void passed(Row row) { } // it is the row itself

    @Override public void remove(Row row) {
        rows[row.source].remove(row);
    }

    @Override public void push(int minute, byte what, Row of, int mark) {
        due.push(minute, what, of, mark);
    }

    @Override public int next() {
        return due.size > 0 ? due.minute[0] : Integer.MAX_VALUE;
    }

    @Override public void pop(Customer customer) {
        int minute = due.minute[0];
        while (due.size > 0 && due.minute[0] == minute) {
            byte what = due.what[0];
            Row row = (Row) due.row[0];
            int mark = due.number[0];
            due.pop();
            customer.due(minute, what, row, mark);
        }
    }

    void write(DataOutputView out) throws IOException {
        for (Rows own : rows) {
            out.writeInt(own.size);
            for (Row row : own) {
                row.write(out);
            }
        }
        out.writeInt(due.size);
        for (int i = 0; i < due.size; i++) {
            Row row = (Row) due.row[i];
            out.writeInt(due.minute[i]);
            out.writeByte(due.what[i]);
            out.writeInt(due.number[i]);
            out.writeByte(row == null ? NO_ROW : row.stage < 0 ? GONE : row.source);
            if (row != null && row.stage >= 0) {
                out.writeLong(row.key);
            }
        }
    }

    static InHeap read(DataInputView in) throws IOException {
        InHeap held = new InHeap();
        for (Rows own : held.rows) {
            for (int left = in.readInt(); left > 0; left--) {
                own.put(new Row().read(in));
            }
        }
        for (int left = in.readInt(); left > 0; left--) {
            int minute = in.readInt();
            byte what = in.readByte();
            int mark = in.readInt();
            byte source = in.readByte();
            if (source != GONE) { // what has gone need not be done
                held.push(minute, what, source == NO_ROW ? null : held.get(source, in.readLong()), mark);
            }
        }
        return held;
    }
}
