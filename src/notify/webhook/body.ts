/** What a webhook carries. */

import type { ProgressEvent } from "../../model/event.ts";
import type { UpgradeProgress } from "../../model/upgrade.ts";
import type { InsightLevel } from "../../model/vocabulary.ts";
import { headline, severity } from "../wording.ts";

/** `standard` is the envelope that Standard Webhooks proposes, `cloudevents` CloudEvents 1.0 in its structured mode. */
export type WebhookFormat = "standard" | "cloudevents";

/** The data of both envelopes. */
export interface WebhookData {
  /** The event in one line. */
  readonly headline: string;
  readonly severity: InsightLevel;
  /** The event as it stands in the log. */
  readonly event: ProgressEvent;
  /** Where the upgrade stands when this is sent: at the event or later. */
  readonly upgrade: Pick<
    UpgradeProgress,
    "upgradeId" | "planId" | "clusterName" | "run" | "seq" | "status" | "currentPhase" | "overallPercentage"
  >;
}

/** A body and its content type. */
export interface WebhookBody {
  readonly contentType: string;
  readonly text: string;
}

/** `sequence` is compared as text. */
const SEQUENCE_DIGITS = 16;

export function webhookBody(
  event: ProgressEvent,
  { state, format, id }: { readonly state: UpgradeProgress; readonly format: WebhookFormat; readonly id: string },
): WebhookBody {
  const data = webhookData(event, state);
  if (format === "standard") {
    return { contentType: "application/json", text: JSON.stringify({ type: event.type, timestamp: event.time, data }) };
  }
  const envelope = {
    specversion: "1.0",
    id,
    source: `/milepost/upgrades/${encodeURIComponent(event.upgradeId)}`,
    type: `milepost.${event.type}`,
    ...(event.taskId !== undefined && { subject: event.taskId }),
    time: event.time,
    datacontenttype: "application/json",
    sequence: String(event.seq).padStart(SEQUENCE_DIGITS, "0"),
    partitionkey: event.upgradeId,
    data,
  };
  return { contentType: "application/cloudevents+json", text: JSON.stringify(envelope) };
}

function webhookData(event: ProgressEvent, state: UpgradeProgress): WebhookData {
  const { upgradeId, planId, clusterName, run, seq, status, currentPhase, overallPercentage } = state;
  return {
    headline: headline(event, state),
    severity: severity(event),
    event,
    upgrade: { upgradeId, planId, clusterName, run, seq, status, currentPhase, overallPercentage },
  };
}
