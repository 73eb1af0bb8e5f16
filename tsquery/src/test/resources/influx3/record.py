"""Answers each NAME.sql here by DataFusion over points.csv, into NAME.arrows. See README.md."""

import csv
import pathlib
import sys

import pyarrow as pa
from datafusion import SessionConfig, SessionContext

here = pathlib.Path(__file__).parent
out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
READ = {"s": str, "i": int, "d": float, "b": lambda text: text == "true"}
PARTITIONS = 4


def points():
    with open(here / "points.csv", newline="") as file:
        rows = list(csv.DictReader(file))

    def column(name, kind, read):
        values = [read(row[name]) if row[name] else None for row in rows]
        array = pa.array(values, kind)
        return array.dictionary_encode() if name in ("tenant", "device", "ward") else array

    return pa.table({
        "time": column("time", pa.timestamp("ns"), int),
        "tenant": column("tenant", pa.string(), str),
        "device": column("device", pa.string(), str),
        "ward": column("ward", pa.string(), str),
        "value": column("value", pa.float64(), float),
        "seq": column("seq", pa.int64(), int),
        "note": column("note", pa.string(), str),
        "ok": column("ok", pa.bool_(), lambda text: text == "true"),
    })


def context(table):
    # Small batches in several partitions: an order that is not asked for does not come about.
    made = SessionContext(SessionConfig().with_target_partitions(PARTITIONS).with_batch_size(8))
    parts = [[] for _ in range(PARTITIONS)]
    for i, batch in enumerate(table.to_batches(max_chunksize=7)):
        parts[i % PARTITIONS].append(batch)
    made.register_record_batches("vitals", parts)
    return made


def literal(value):
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "CAST(%r AS DOUBLE)" % value if isinstance(value, float) else str(value).lower()


table = points()
for file in sorted(here.glob("*.sql")):
    sql, *parameters = file.read_text().splitlines()
    # Older versions take no parameters: the longest name first, for $p1 is in $p10.
    for line in sorted(parameters, key=lambda each: -len(each.split("=")[0])):
        name, value = line.split("=", 1)
        sql = sql.replace("$" + name, literal(READ[value[0]](value[2:])))
    answer = context(table).sql(sql).to_arrow_table()
    with pa.ipc.new_stream(out / (file.stem + ".arrows"), answer.schema) as stream:
        stream.write_table(answer, max_chunksize=16)
    print(file.stem, answer.num_rows)
