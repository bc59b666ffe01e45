/** The WebSocket as the client uses it: the browser's own, Node's, and that of the package `ws` all fit. */

/** One connection. */
export interface ClientSocket {
  send(text: string): void;
  close(): void;
  /** As every EventTarget has it. */
  addEventListener(...args: never): unknown;
}

/** What makes connections. */
export type ClientSocketClass = new (url: string, protocols: string[]) => ClientSocket;

/** What happens to a connection. */
interface SocketListeners {
  readonly message: (event: { readonly data: unknown }) => void;
  /** Browsers do not say what went wrong. */
  readonly error: (event: { readonly message?: unknown }) => void;
  readonly close: (event: { readonly code: number; readonly reason: string }) => void;
}

/** Calls a listener for each of these events. */
export function listenTo(socket: ClientSocket, { message, error, close }: SocketListeners): void {
  // The classes declare this method in ways that no one type covers.
  const target = socket as { addEventListener(type: string, listener: SocketListeners[keyof SocketListeners]): void };
  target.addEventListener("message", message);
  target.addEventListener("error", error);
  target.addEventListener("close", close);
}
