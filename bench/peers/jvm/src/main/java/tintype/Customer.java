package tintype;

import static tintype.Change.ORDERS;
import static tintype.Change.REFUNDS;
import static tintype.Change.TICKETS;
import static tintype.Change.VIEWS;

/** What a change does to one customer, and what time does, written by hand. */
public final class Customer extends Profile {
    static final int[][] EDGES = {{43_200, 86_400, 129_600, 525_600}, {525_600}, {129_600}, {10, 1_440, 10_080, 129_600}};
    // which windows hold a row at a stage; orders: 30d, 365d, 90d, 30d before; views: 10m, 1d, 7d, 90d
    static final int[][] INSIDE = {{1 | 2 | 4, 2 | 4 | 8, 2 | 4, 2, 0}, {1, 0}, {1, 0}, {1 | 2 | 4 | 8, 2 | 4 | 8, 4 | 8, 8, 0}};
    static final int[] RECENCY = {28_800, 86_400, 172_800, 316_800};
    static final int[] FREQUENCY = {1, 3, 6, 12};
    static final int[] MONETARY = {5_000, 20_000, 60_000, 120_000};
    static final int STICKY = 120, WITHIN = 120, MORNING = 90;
    static final int THANKS = 0, VIP = 1, LOST = 2, BROWSED = 3, AT_NINE = 4;

    static int liveFrom;
    static long transitions, decisions;

    Held held; // not written with the rest

    Customer() { }

    Customer(String name, Held held) {
        this.name = name;
        this.held = held;
    }

    void change(Change change, int now) {
        advance(now);
        Row row = put(change, now);
        after(now);
        if (change.op == 'c') {
            if (change.source == ORDERS) {
                if (orders365 == 3) {
                    decide(THANKS, now);
                }
            } else if (change.source == REFUNDS && row != null) {
                if (row.minute() + WITHIN + 1 <= now) { // a late row: due already
                    absent(row, now);
                } else {
                    held.push(row.minute() + WITHIN + 1, Due.ABSENT, row, 0);
                }
            } else if (change.source == VIEWS && scheduled == 0) {
                scheduled = now - now % 1_440 + MORNING + (now % 1_440 >= MORNING ? 1_440 : 0);
                held.push(scheduled, Due.SCHEDULE, null, 0);
            }
        }
    }

    private Row put(Change change, int now) {
        Row old = held.get(change.source, change.key);
        if (old != null) {
            if (change.position <= old.position) {
                return null;
            }
            int stage = old.stage;
            old.stage = -1;
            held.remove(old);
            leave(old, INSIDE[old.source][stage]);
        }
        if (change.op == 'd') {
            return null;
        }
        int[] edges = EDGES[change.source];
        int age = now - (int) (change.eventUs / 60_000_000);
        int stage = 0;
        while (stage < edges.length && edges[stage] <= age) {
            stage++;
        }
        if (stage == edges.length) {
            return null;
        }
        Row row = new Row(change, stage);
        held.put(row);
        enter(row, INSIDE[row.source][stage]);
        held.push(row.minute() + edges[stage], Due.EDGE, row, 0);
        return row;
    }

    private void enter(Row row, int windows) {
        switch (row.source) {
            case ORDERS -> enterOrder(row, windows);
            case REFUNDS -> refunded365 += row.value;
            case TICKETS -> worst = Math.min(worst, row.value);
            default -> {
                views10m += windows & 1;
                if ((windows & 2) != 0) {
                    seconds1d += row.value;
                }
                if ((windows & 4) != 0) {
                    seen = seen == null ? new int[CATEGORIES] : seen;
                    if (seen[row.category]++ == 0) {
                        seen7++;
                    }
                }
                views90 += windows >> 3 & 1;
            }
        }
    }

    private void enterOrder(Row row, int windows) {
        ordersBefore += windows >> 3 & 1;
        if (!row.kept()) {
            cancelled30 += windows & 1;
            return;
        }
        if ((windows & 1) != 0) {
            orders30++;
            paid30 += row.value;
        }
        if ((windows & 2) != 0) {
            orders365++;
            paid365 += row.value;
            largest = Math.max(largest, row.value);
            first = first == null || row.before(first) ? row : first;
            last = last == null || last.before(row) ? row : last;
        }
        if ((windows & 4) != 0) {
            bought = bought == null ? new int[CATEGORIES] : bought;
            if (bought[row.category]++ == 0) {
                categories90++;
            }
        }
    }

    private void leave(Row row, int windows) {
        switch (row.source) {
            case ORDERS -> leaveOrder(row, windows);
            case REFUNDS -> refunded365 -= (windows & 1) * (long) row.value;
            case TICKETS -> {
                if (row.value == worst) {
                    worst = 99;
                    for (Row other : held.rows(TICKETS)) {
                        if (other.stage == 0) {
                            worst = Math.min(worst, other.value);
                        }
                    }
                }
            }
            default -> {
                views10m -= windows & 1;
                if ((windows & 2) != 0) {
                    seconds1d -= row.value;
                }
                if ((windows & 4) != 0 && --seen[row.category] == 0) {
                    seen7--;
                }
                views90 -= windows >> 3 & 1;
            }
        }
    }

    private void leaveOrder(Row row, int windows) {
        ordersBefore -= windows >> 3 & 1;
        if (!row.kept()) {
            cancelled30 -= windows & 1;
            return;
        }
        if ((windows & 1) != 0) {
            orders30--;
            paid30 -= row.value;
        }
        if ((windows & 2) != 0) {
            orders365--;
            paid365 -= row.value;
            if (row.value == largest || row.key == first.key || row.key == last.key) {
                scanOrders();
            }
        }
        if ((windows & 4) != 0 && --bought[row.category] == 0) {
            categories90--;
        }
    }

    private void scanOrders() {
        largest = -1;
        first = last = null;
        for (Row row : held.rows(ORDERS)) {
            if (row.stage >= 0 && row.stage < 4 && row.kept()) {
                largest = Math.max(largest, row.value);
                first = first == null || row.before(first) ? row : first;
                last = last == null || last.before(row) ? row : last;
            }
        }
    }

    /** Does what has fallen due up to a minute, minute by minute; says whether anything had. */
    boolean advance(int now) {
        boolean any = false;
        for (int minute = held.next(); minute <= now; minute = held.next()) {
            any = true;
            held.pop(this);
            after(minute);
        }
        minute = Math.max(minute, now);
        return any;
    }

    /** Does one thing that falls due. row: null or of stage -1 where it has gone meanwhile. */
    void due(int minute, byte what, Row row, int mark) {
        if (what == Due.EDGE) {
            edge(row);
        } else if (what == Due.ABSENT) {
            absent(row, minute);
        } else if (what == Due.SCHEDULE) {
            scheduled = 0;
            if (views10m > 0) {
                decide(AT_NINE, minute);
            }
        } else if (what == Due.RECENT && mark == lastMinute) {
            watchRecency(minute);
        }
    }

    private void edge(Row row) {
        if (row == null || row.stage < 0) {
            return;
        }
        int was = INSIDE[row.source][row.stage];
        int is = INSIDE[row.source][++row.stage];
        int[] edges = EDGES[row.source];
        if (row.stage < edges.length) {
            held.passed(row);
            held.push(row.minute() + edges[row.stage], Due.EDGE, row, 0);
        } else {
            row.stage = -1;
            held.remove(row);
        }
        if ((was & ~is) != 0) {
            leave(row, was & ~is);
        }
        if ((is & ~was) != 0) {
            enter(row, is & ~was);
        }
    }

    private void after(int now) {
        int minute = last == null ? -1 : last.minute();
        if (minute != lastMinute) {
            lastMinute = minute;
            if (minute >= 0) {
                watchRecency(now);
            }
        }
        judge(now);
    }

    private void watchRecency(int now) {
        int exceeded = exceeded(now - lastMinute, RECENCY);
        if (exceeded < RECENCY.length) {
            held.push(lastMinute + RECENCY[exceeded] + 1, Due.RECENT, null, lastMinute);
        }
    }

    private static int exceeded(long value, int[] cuts) {
        return (value > cuts[0] ? 1 : 0) + (value > cuts[1] ? 1 : 0) + (value > cuts[2] ? 1 : 0) + (value > cuts[3] ? 1 : 0);
    }

    private void judge(int now) {
        r = f = m = 0;
        if (last != null) {
            r = 5 - exceeded(now - lastMinute, RECENCY);
            f = 1 + exceeded(orders365, FREQUENCY);
            m = 1 + exceeded(paid365 - refunded365, MONETARY);
        }
        boolean a01 = paid365 >= 200_000;
        boolean a02 = !a01 && orders30 >= 2;
        boolean a03 = !a01 && !a02 && orders365 > 0;
        boolean a10 = held(views10m >= 3, now);
        boolean a14 = worst <= 2;
        int now20 = bit(a01, 0) | bit(a02, 1) | bit(a03, 2)
            | bit(orders365 >= 3 && paid365 >= 9_000L * orders365, 3)
            | bit(largest >= 15_000, 4)
            | bit(categories90 >= 4, 5)
            | bit(cancelled30 >= 2, 6)
            | bit(orders30 < ordersBefore, 7)
            | bit(refunded365 * 4 > paid365, 8)
            | bit(a10, 9)
            | bit(views90 >= 20 && orders30 == 0, 10)
            | bit(seconds1d >= 600, 11)
            | bit(seen7 >= 3, 12)
            | bit(a14, 13)
            | bit(last != null && last.category == 3 && first.category != 3, 14)
            | bit(r >= 4 && f >= 4, 15)
            | bit(r >= 4 && f >= 4 && m >= 4, 16)
            | bit(a01 && a14, 17)
            | bit(a10 && !a03, 18)
            | bit(paid30 >= 30_000 ? orders30 >= 1 : views10m >= 5, 19);
        if (now20 != tags) {
            note(now20, now);
        }
    }

    private static int bit(boolean holds, int place) {
        return holds ? 1 << place : 0;
    }

    private boolean held(boolean trueNow, int now) {
        if (sticks && until != 0 && now >= until) {
            sticks = false;
        }
        if (trueNow) {
            sticks = true;
            until = 0;
        } else if (truth && sticks) {
            until = now + STICKY;
            held.push(until, Due.ENDS, null, 0);
        }
        truth = trueNow;
        return sticks;
    }

    private void note(int now20, int now) {
        int changed = now20 ^ tags;
        tags = now20;
        transitions += Integer.bitCount(changed);
        if ((changed & now20 & 1) != 0 && views90 > 5) {
            decide(VIP, now);
        }
        if ((changed & ~now20 & 2) != 0) {
            decide(LOST, now);
        }
    }

    private void absent(Row refund, int now) {
        if (refund == null || refund.stage < 0) {
            return;
        }
        for (Row row : held.rows(ORDERS)) {
            if (row.eventUs > refund.eventUs && row.eventUs <= refund.eventUs + WITHIN * 60_000_000L) {
                return;
            }
        }
        decide(BROWSED, now);
    }

    private void decide(int trigger, int now) {
        if (now < liveFrom) {
            return;
        }
        decisions++;
        if (now - sent[trigger] >= COOL_DOWN) {
            sent[trigger] = now;
        }
    }
}
