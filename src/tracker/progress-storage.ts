/** What `tracker.storage` offers: the stored form of one upgrade, as the tracker's owner sees it. */

import { MilepostError } from "../errors.ts";
import type { UpgradeProgress } from "../model/upgrade.ts";
import type { Storage, StoredInfo } from "../storage/storage.ts";
import { report, silentLogger, type Logger } from "./logger.ts";
import { readUpgrade } from "./read.ts";

/** Where an upgrade is kept. */
export interface StorageInfo {
  /** The driver: `jsonl`, `memory` … */
  readonly kind: string;
  readonly storagePath: string;
  /** The folder (or other place) of this upgrade. */
  readonly progressFile: string;
  readonly fileExists: boolean;
  readonly fileSize: number;
}

export interface ProgressStorageOptions {
  readonly storage: Storage;
  readonly upgradeId: string;
  readonly logger?: Logger;
  /** Writes a snapshot; given by the tracker that holds the log. */
  readonly saveSnapshot?: (progress: UpgradeProgress) => Promise<void>;
}

export class ProgressStorage {
  readonly #options: ProgressStorageOptions;

  constructor(options: ProgressStorageOptions) {
    this.#options = options;
  }

  /** The storage itself, for readers such as `readUpgrade`. */
  get driver(): Storage {
    return this.#options.storage;
  }

  /** @throws ASYNC_STORAGE for a storage that answers later. */
  getStorageInfo(): StorageInfo {
    const { storage, upgradeId } = this.#options;
    const info: StoredInfo | Promise<StoredInfo> = storage.info(upgradeId);
    if (info instanceof Promise)
      throw new MilepostError(
        "ASYNC_STORAGE",
        "this storage answers asynchronously; ask the driver: `await tracker.storage.driver.info(id)`",
      );
    return {
      kind: storage.kind,
      storagePath: storage.location,
      progressFile: info.location,
      fileExists: info.exists,
      fileSize: info.sizeBytes,
    };
  }

  /**
   * Keeps a snapshot of `progress` now. The log is safe without it; a snapshot makes the next opening quick.
   *
   * @returns false when it could not be written; the reason is logged.
   */
  async saveProgress(progress: UpgradeProgress): Promise<boolean> {
    const { saveSnapshot, logger = silentLogger } = this.#options;
    try {
      if (saveSnapshot === undefined) throw new MilepostError("CLOSED", "no tracker holds this upgrade open");
      await saveSnapshot(progress);
      return true;
    } catch (error) {
      report(logger, "error", "saveProgress", error);
      return false;
    }
  }

  /** The stored state; undefined if there is none. @throws CORRUPT, NEWER_FORMAT. */
  async loadProgress(): Promise<UpgradeProgress | undefined> {
    const { storage, upgradeId } = this.#options;
    const { exists } = await storage.info(upgradeId);
    return exists ? (await readUpgrade(storage, upgradeId)).state : undefined;
  }

  /** Removes the upgrade with its finished runs. True when nothing of it is left. @throws LOCKED while a tracker holds it: close that first. */
  async deleteProgress(): Promise<boolean> {
    await this.#options.storage.delete(this.#options.upgradeId);
    return true;
  }
}
