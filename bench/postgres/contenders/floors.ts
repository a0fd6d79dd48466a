import { Pool } from "pg";
import type { SharedContender } from "../../shared-store/contender.ts";

/** Measures a prepared statement that does nothing. */
export const bareStatement: SharedContender = {
  async open(url) {
    const pool = new Pool({ connectionString: url });
    return {
      async visit() {
        const { rowCount } = await pool.query({ name: "bare", text: "select 1" });
        return rowCount === 1;
      },
    };
  },
};
