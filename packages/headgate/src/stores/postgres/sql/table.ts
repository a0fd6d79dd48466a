import { quoteText, type SqlNames } from "./names.ts";

/**
 * The table. Rows are updated in place again and again: no index covers what changes, and pages keep room, so that an
 * update touches one page and leaves nothing for vacuum that the next update does not clear itself.
 */
export function tableSql({ schema, table, slotType }: SqlNames, unlogged: boolean): string {
  return `
IF to_regnamespace(${quoteText(schema)}) IS NULL THEN CREATE SCHEMA ${schema}; END IF;
IF to_regclass(${quoteText(table)}) IS NULL THEN
  CREATE ${unlogged ? "UNLOGGED " : ""}TABLE ${table} (
    -- SHA-256 of layer and key, the first 128 bits: callers are not named in the database.
    partition_id uuid NOT NULL,
    -- SHA-256 of what the limits count and how, the first 64 bits.
    state_id bigint NOT NULL,
    state bigint[] NOT NULL CHECK (array_position(state, NULL) IS NULL),
    -- From then on the row is worth no more than none; milliseconds since 1970-01-01T00:00Z.
    expires_at bigint NOT NULL,
    PRIMARY KEY (partition_id, state_id)
  ) WITH (fillfactor = 70, toast_tuple_target = 8160);
  -- Long logs are rewritten with every decision: to compress them each time costs more than their room.
  ALTER TABLE ${table} ALTER COLUMN state SET STORAGE EXTERNAL;
END IF;
IF to_regtype(${quoteText(slotType)}) IS NULL THEN
  CREATE TYPE ${slotType} AS (state bigint[], expires_at bigint, changed boolean);
END IF;
`;
}
