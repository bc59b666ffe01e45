/** Ids that break naive code, for every door that takes an id (M06, X16). */

/** Must be kept exactly as they are. Those on one line are twins: different ids that are easily taken for each other. */
export const TWIN_IDS: readonly (readonly string[])[] = [
  ["upgrade", "Upgrade", "UPGRADE", "upgrade ", " upgrade", "upgrade.", "upgrade..", "upgrade%20", "upgrade+"],
  ["caf\u00e9", "cafe\u0301", "CAF\u00c9"],
  ["\u212b", "\u00c5", "A\u030a"],
  ["ﬁle", "file"],
  ["stra\u00dfe", "strasse", "STRASSE"],
  ["i", "I", "\u0131", "\u0130"],
  ["a/b", "a%2Fb", "a%2fb", "a\\b", "a:b", "a_b", "a b", "a\u00a0b", "a\u200bb", "ab"],
  [".", "..", "...", "./x", "../x", "..\\x", "../../etc/passwd", "/etc/passwd", "C:\\x", "\\\\host\\share", "~", "~root", "%2e%2e%2fx"],
  ["CON", "con", "aux.txt", "NUL", "LPT1", "COM1.json", "lock", "journal", "snapshot.json"],
  ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "then"],
  ["10", "2", "010", "1e1", "-0", "null", "undefined", "true", "NaN", "{}", "[]", '"', "'", "`", "$(id)", "${x}", "%s", "a@1", "a@2"],
  ["arn:aws:eks:eu-west-1:123456789012:cluster/prod", "arn:aws:eks:eu-west-1:123456789012:cluster-prod"],
  ["🚀", "👩‍🚀", "👩🚀", "𝒳", "日本語", "\u202eabc", "abc\u202c", "مرحبا", "\ufeffx", "x"],
  ["a".repeat(255), "é".repeat(127), "🚀".repeat(63), "日".repeat(85)],
  ["-", "--help", "-rf", "*", "?", "<b>", "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "a,b", "a;b", "a#b", "a?b", "a&b"],
];

/** All of them. */
export const HOSTILE_IDS: readonly string[] = TWIN_IDS.flat();

/** Must be refused with INVALID_ID, whatever the door. */
export const INVALID_IDS: readonly unknown[] = [
  "",
  "a".repeat(256),
  `${"é".repeat(127)}ab`,
  "日".repeat(86),
  "🚀".repeat(64),
  "a".repeat(1_048_576),
  "a\u0000b",
  "a\nb",
  "a\r",
  "\t",
  "\u001b[2J",
  "\u007f",
  "\u009b31m",
  "\u0085",
  "\ud800",
  "a\udc00",
  "\udc00\ud800",
  undefined,
  null,
  0,
  1,
  Number.NaN,
  10n,
  true,
  Symbol("id"),
  {},
  [],
  ["a"],
  () => "a",
  Object("a"),
  { toString: () => "a" },
];
