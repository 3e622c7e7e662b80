package tintype;

/** What falls due at a minute, as a heap of one customer. */
final class Due {
    static final byte EDGE = 0, RECENT = 1, ENDS = 2, ABSENT = 3, SCHEDULE = 4;

    int size;
    int[] minute = new int[4];
    byte[] what = new byte[4];
    Object[] row = new Object[4];
    int[] number = new int[4];

    void push(int due, byte kind, Row of, int mark) {
        if (size == minute.length) {
            grow();
        }
        int at = size++;
        while (at > 0 && minute[(at - 1) / 2] > due) {
            copy((at - 1) / 2, at);
            at = (at - 1) / 2;
        }
        set(at, due, kind, of, mark);
    }

    void pop() {
        int last = --size;
        int due = minute[last];
        byte kind = what[last];
        Object of = row[last];
        int mark = number[last];
        row[last] = null;
        int at = 0;
        while (2 * at + 1 < size) {
            int child = 2 * at + 1;
            if (child + 1 < size && minute[child + 1] < minute[child]) {
                child++;
            }
            if (minute[child] >= due) {
                break;
            }
            copy(child, at);
            at = child;
        }
        if (size > 0) {
            set(at, due, kind, of, mark);
        }
    }

    private void copy(int from, int to) {
        set(to, minute[from], what[from], row[from], number[from]);
    }

    private void set(int at, int due, byte kind, Object of, int mark) {
        minute[at] = due;
        what[at] = kind;
        row[at] = of;
        number[at] = mark;
    }

    private void grow() {
        minute = java.util.Arrays.copyOf(minute, size * 2);
        what = java.util.Arrays.copyOf(what, size * 2);
        row = java.util.Arrays.copyOf(row, size * 2);
        number = java.util.Arrays.copyOf(number, size * 2);
    }
}
