import { jsonLines } from "../../src/storage/json-lines.ts";
import { storageContract } from "../contracts/storage.contract.ts";
import { temporaryFolder } from "./json-lines/folder.ts";

storageContract("jsonLines", () => {
  const path = temporaryFolder();
  return { open: () => jsonLines({ path }) };
});
