/**
 * A text that the processes of a limiter share, stored as its version, a space and the text. To read it, `ARGV[1]` is the
 * known version and a space: the answer is the stored value, without the text if the version is the same. To write it, the
 * new version and text follow: the answer is 1 if they were stored, 0 if another version had replaced the known one.
 */
export const sharedTextScript = `local raw = redis.call('GET', KEYS[1]) or '0 '
local version = string.match(raw, '^%d+')
local known, given = string.match(ARGV[1], '^(%-?%d+) (.*)$')
if given == '' then
if version == known then return version .. ' ' end
return raw
end
if version ~= known then return 0 end
redis.call('SET', KEYS[1], given)
return 1
`;

/** A constant, because a runtime without Node's modules can only hash asynchronously. A test checks the value. */
export const sharedTextSha = "5afd2c4540add8ff1e4d5bfe58595429148443b2";
