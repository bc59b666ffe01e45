/** What this is, as it says of itself to others. A test holds the number to package.json. */
export const VERSION = "0.1.0";
