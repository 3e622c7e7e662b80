-- What a connector needs in the shop's database. Run once, as the owner of the tables, before the connector is
-- applied. The tables of the shop are named in the publication, and each gives whole rows.
CREATE TABLE IF NOT EXISTS tintype_heartbeat (id int PRIMARY KEY, at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS tintype_signal (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048));
CREATE PUBLICATION tintype_shop FOR TABLE
    tintype_heartbeat, tintype_signal, orders, members, consent, parcels, refunds, tickets, views, carts,
    restocks, levels;
ALTER TABLE orders REPLICA IDENTITY FULL;
ALTER TABLE members REPLICA IDENTITY FULL;
ALTER TABLE consent REPLICA IDENTITY FULL;
ALTER TABLE parcels REPLICA IDENTITY FULL;
ALTER TABLE refunds REPLICA IDENTITY FULL;
ALTER TABLE tickets REPLICA IDENTITY FULL;
ALTER TABLE views REPLICA IDENTITY FULL;
ALTER TABLE carts REPLICA IDENTITY FULL;
ALTER TABLE restocks REPLICA IDENTITY FULL;
ALTER TABLE levels REPLICA IDENTITY FULL;
