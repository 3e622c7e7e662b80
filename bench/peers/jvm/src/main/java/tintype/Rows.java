package tintype;

import java.util.Iterator;

/** One customer's rows of one source by key: a chained hash table that grows. */
final class Rows implements Iterable<Row> {
    int size;
    private Row[] buckets = new Row[4];

    Row get(long key) {
        Row row = buckets[slot(key)];
        while (row != null && row.key != key) {
            row = row.next;
        }
        return row;
    }

    void put(Row row) {
        if (size++ >= buckets.length) {
            grow();
        }
        int slot = slot(row.key);
        row.next = buckets[slot];
        buckets[slot] = row;
    }

    void remove(Row row) {
        size--;
        int slot = slot(row.key);
        Row at = buckets[slot];
        if (at == row) {
            buckets[slot] = row.next;
            return;
        }
        while (at.next != row) {
            at = at.next;
        }
        at.next = row.next;
    }

    @Override public Iterator<Row> iterator() {
        return new Iterator<>() {
            private int bucket;
            private Row next = buckets[0];

            @Override public boolean hasNext() {
                while (next == null && ++bucket < buckets.length) {
                    next = buckets[bucket];
                }
                return next != null;
            }

            @Override public Row next() {
                Row found = next;
                next = found.next;
                return found;
            }
        };
    }

    private int slot(long key) {
        return (int) ((key * 0x9E3779B97F4A7C15L) >>> 40) & (buckets.length - 1);
    }

    private void grow() {
        Row[] old = buckets;
        buckets = new Row[old.length * 2];
        for (Row bucket : old) {
            while (bucket != null) {
                Row row = bucket;
                bucket = row.next;
                int slot = slot(row.key);
                row.next = buckets[slot];
                buckets[slot] = row;
            }
        }
    }
}
