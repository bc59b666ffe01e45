/** The button that asks to be told when an upgrade ends: nothing is asked of the browser before it is pressed. */

import { signal } from "@preact/signals";
import type { ComponentChild } from "preact";

import { announce } from "../announcer.tsx";
import { Icon } from "./icon.tsx";

const wanted = signal<ReadonlySet<string>>(new Set());

/** True if the end of this upgrade is to be told, and the browser allows it. */
export function isEndNoticeWanted(upgradeId: string): boolean {
  return wanted.peek().has(upgradeId) && Notification.permission === "granted";
}

export function EndNotice({ upgradeId }: { readonly upgradeId: string }): ComponentChild {
  if (!("Notification" in globalThis)) return null;
  const isOn = wanted.value.has(upgradeId);
  const toggle = async (): Promise<void> => {
    const next = new Set(wanted.peek());
    if (!next.delete(upgradeId)) {
      if ((await Notification.requestPermission()) !== "granted") {
        announce("this browser does not allow notifications of this page; its settings can change that");
        return;
      }
      next.add(upgradeId);
    }
    wanted.value = next;
    announce(next.has(upgradeId) ? "you will be told when it ends" : "you will not be told when it ends");
  };
  return (
    <button type="button" class="button" aria-pressed={isOn} onClick={() => void toggle()}>
      <Icon name="bell" /> {isOn ? "Tells you" : "Tell me"}
    </button>
  );
}
