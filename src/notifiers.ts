/** `milepost/notifiers`: what tells people and systems that do not watch. Apart, since each brings code that few programs need. */

export { EventBridgeNotifier, type EventBridgeNotifierOptions } from "./notify/eventbridge.ts";
export type { Batch, Notifier, NotifierMemory, NotifyOptions, Outcome, Repeat, ToldEvent } from "./notify/notifier.ts";
export { email, type EmailOptions } from "./notify/email.ts";
export type { SesSettings } from "./notify/email/ses.ts";
export type { MailTransport } from "./notify/email/smtp-server.ts";
export { sms, type SmsOptions } from "./notify/sms.ts";
export { slack, type SlackBotOptions, type SlackHookOptions, type SlackOptions } from "./notify/slack.ts";
export type { CardStore } from "./notify/slack/cards.ts";
export type { SlackClient } from "./notify/slack/client.ts";
export { webhook, type WebhookOptions } from "./notify/webhook.ts";
export type { WebhookData, WebhookFormat } from "./notify/webhook/body.ts";
