import { memory } from "../../src/storage/memory.ts";
import { storageContract } from "../contracts/storage.contract.ts";

storageContract("memory", () => {
  const storage = memory();
  return { open: () => storage };
});
