import { notifierContract, type Told } from "../contracts/notifier.contract.ts";
import {
  eventBridgeTold,
  sesTold,
  slackBotTold,
  slackHookTold,
  smsTold,
  smtpTold,
  webhookTold,
} from "./other-sides.ts";
import { DELIVERED, REFUSED, RETRY, scriptedNotifier, type ScriptedNotifier } from "./scripted-notifier.ts";

const JSON_CONTROLS = /\p{Cc}/u;
const SLACK_MARKS = /<!channel>|<@U1>|<script>|[^\P{Cc}\n]|\u202e|\\ud800/u;

const MAIL_MARKS = /^bcc:|<script>|[^\P{Cc}\r\n]|\u202e/imu;

notifierContract("webhook", webhookTold, {
  denied: "refused",
  canBeAskedToWait: true,
  dangerous: JSON_CONTROLS,
});

notifierContract("slack by an incoming webhook", slackHookTold, {
  denied: "refused",
  canBeAskedToWait: true,
  hasNoIdentity: "a hook of Slack's takes no name for a message",
  dangerous: SLACK_MARKS,
});

notifierContract("slack by a bot", slackBotTold, {
  denied: "refused",
  canBeAskedToWait: true,
  hasNoIdentity: "chat.postMessage takes no name for a message; the card is found again by the store of cards",
  dangerous: SLACK_MARKS,
});

notifierContract("eventbridge", eventBridgeTold, {
  denied: "retry",
  canBeAskedToWait: false,
  dangerous: JSON_CONTROLS,
});

notifierContract("email by SMTP", smtpTold, {
  denied: "retry",
  canBeAskedToWait: false,
  dangerous: MAIL_MARKS,
});

notifierContract("email by SES", sesTold, {
  denied: "retry",
  canBeAskedToWait: false,
  dangerous: MAIL_MARKS,
});

notifierContract("sms", smsTold, {
  denied: "retry",
  canBeAskedToWait: false,
  hasNoIdentity: "SNS takes no name for a message to a telephone",
  dangerous: /\p{Cc}|\u202e/u,
});

/** So that tests of deliveries work with what keeps the contract, too. */
async function scriptedTold(): Promise<Told> {
  const make = (): ScriptedNotifier => scriptedNotifier();
  const notifier = make();
  let isCut = false;
  notifier.check = async () => {
    if (isCut) throw Object.assign(new Error("nobody there"), { code: "NOTIFIER_UNUSABLE" });
  };
  return {
    notifier,
    again: make,
    behave: (behaviour) => {
      isCut = behaviour === "cuts";
      const isRefusal = ["refuses", "denies", "echoes"].includes(behaviour);
      notifier.answer = () => (behaviour === "takes" ? DELIVERED : isRefusal ? REFUSED : RETRY);
    },
    secrets: [],
    received: () => notifier.calls.map(() => ""),
  };
}

notifierContract("the notifier of these tests", scriptedTold, {
  denied: "refused",
  canBeAskedToWait: false,
  hasNoIdentity: "it tells nobody",
  dangerous: /./,
});
