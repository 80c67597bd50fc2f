/** Where a TCP proxy connects to: a unix socket or a port on the loopback. */
export type ConnectTarget = { readonly path: string } | { readonly host: string; readonly port: number };
