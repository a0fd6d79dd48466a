import { Pool } from "pg";
import type { SharedContender } from "../../shared-store/contender.ts";

/** The cost of any prepared statement. */
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
