/** Of Jest 30, without a flag and with nothing set for Headgate. */
module.exports = { transform: { "\\.ts$": "ts-jest" } };
