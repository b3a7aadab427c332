/** How a listener hands over a connection that carries HTTP. */
import type { Incoming } from './incoming.ts'

/** @param stillAdmits why the connection may not go on whatever policy says of its requests; asked after every change */
export type ServeHttp = (incoming: Incoming, stillAdmits: () => string | undefined) => void
