/** Which task's details are open: `?task=<id>` of the address. */

import { currentAddress, setQuery } from "../router.ts";

/** The task that the address names; undefined when it names none. */
export function openTask(): string | undefined {
  return currentAddress.value.searchParams.get("task") ?? undefined;
}

/** This page with the details of a task open. */
export function taskHref(taskId: string): string {
  const { pathname, searchParams } = currentAddress.value;
  const query = new URLSearchParams(searchParams);
  query.set("task", taskId);
  return `${pathname}?${query.toString()}`;
}

/** Opens the details of a task; undefined closes them. */
export function showTask(taskId: string | undefined): void {
  setQuery({ task: taskId });
}
