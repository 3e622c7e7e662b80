-- The tables of examples/shop, as its sources read them: times with a zone, money as decimals, birthdays as text.
CREATE TABLE members (
    member_id varchar(40) PRIMARY KEY, phone varchar(20), city varchar(40), birthday varchar(10),
    joined_at timestamptz NOT NULL, level varchar(10), language varchar(5)
);
CREATE TABLE consent (
    member_id varchar(40), channel varchar(20), purpose varchar(20), granted boolean NOT NULL,
    changed_at timestamptz NOT NULL, PRIMARY KEY (member_id, channel, purpose)
);
CREATE TABLE orders (
    order_id varchar(40) PRIMARY KEY, member_id varchar(40), phone varchar(20), amount numeric(12, 2) NOT NULL,
    status varchar(20) NOT NULL, category varchar(40), created_at timestamptz NOT NULL
);
CREATE TABLE parcels (
    parcel_id varchar(40) PRIMARY KEY, order_id varchar(40) NOT NULL REFERENCES orders, status varchar(20) NOT NULL,
    carrier varchar(40), shipped_at timestamptz NOT NULL
);
CREATE TABLE refunds (
    refund_id varchar(40) PRIMARY KEY, order_id varchar(40) NOT NULL REFERENCES orders,
    amount numeric(12, 2) NOT NULL, reason varchar(200), created_at timestamptz NOT NULL
);
CREATE TABLE tickets (
    ticket_id varchar(40) PRIMARY KEY, member_id varchar(40), phone varchar(20), topic varchar(20),
    status varchar(20) NOT NULL, score int, opened_at timestamptz NOT NULL
);
CREATE TABLE views (
    view_id varchar(40) PRIMARY KEY, member_id varchar(40), device varchar(80), category varchar(40),
    product varchar(80), seconds int NOT NULL, viewed_at timestamptz NOT NULL, fresh boolean
);
CREATE TABLE carts (
    cart_id varchar(40) PRIMARY KEY, member_id varchar(40), device varchar(80), product varchar(80),
    category varchar(40), amount numeric(12, 2) NOT NULL, status varchar(20) NOT NULL, added_at timestamptz NOT NULL
);
CREATE TABLE restocks (
    request_id varchar(40) PRIMARY KEY, member_id varchar(40) NOT NULL, product varchar(80) NOT NULL,
    price numeric(12, 2), status varchar(20) NOT NULL, arrives_on varchar(10), changed_at timestamptz NOT NULL
);
CREATE TABLE levels (
    change_id varchar(40) PRIMARY KEY, member_id varchar(40) NOT NULL, level varchar(10) NOT NULL,
    direction varchar(10) NOT NULL, valid_until varchar(10), changed_at timestamptz NOT NULL
);
