import { quoteText, type SqlNames } from "./names.ts";

/**
 * The table of states. Rows are updated in place again and again. No index covers the changing columns, and pages keep
 * free space. So an update touches one page, and the next update cleans up what it leaves: nothing is left for vacuum.
 */
export function tableSql({ schema, table, slotType }: SqlNames, unlogged: boolean): string {
  return `
IF to_regnamespace(${quoteText(schema)}) IS NULL THEN CREATE SCHEMA ${schema}; END IF;
IF to_regclass(${quoteText(table)}) IS NULL THEN
  CREATE ${unlogged ? "UNLOGGED " : ""}TABLE ${table} (
    -- SHA-256 of layer and key, the first 128 bits: no caller is named in the database.
    partition_id uuid NOT NULL,
    -- SHA-256 of what the limits count and how, the first 64 bits.
    state_id bigint NOT NULL,
    state bigint[] NOT NULL CHECK (array_position(state, NULL) IS NULL),
    -- From this time on, the row counts for nothing; milliseconds since 1970-01-01T00:00Z.
    expires_at bigint NOT NULL,
    PRIMARY KEY (partition_id, state_id)
  ) WITH (fillfactor = 70, toast_tuple_target = 8160);
  -- Long logs are rewritten with every decision. Compressing them each time would cost more than their space.
  ALTER TABLE ${table} ALTER COLUMN state SET STORAGE EXTERNAL;
END IF;
IF to_regtype(${quoteText(slotType)}) IS NULL THEN
  CREATE TYPE ${slotType} AS (state bigint[], expires_at bigint, changed boolean);
END IF;
`;
}
