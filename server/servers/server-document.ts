/**
 * What a server says of itself to the other servers of its trust domain, with each beat. It is read back against a schema;
 * what a newer version says beyond it is left aside, and a document that cannot be read makes its server one of which
 * nothing is known but the key: its authorities are then nobody's to change.
 */
import { z } from 'zod'

const MAX_NAME_LENGTH = 255
const MAX_ID_LENGTH = 128
/** Authorities of one kind that a server may still have signatures of. */
export const MAX_COVERED = 64

/** Stands for all authorities that are not named. */
export const ALL_OTHERS = '*'
/** For a server that does not tell: each of its authorities counts for as long as it lives. */
export const NOT_TOLD = { [ALL_OTHERS]: 8_640_000_000_000_000 } as const

const id = z.string().min(1).max(MAX_ID_LENGTH)
const slots = z.object({
  prepared: id.optional(),
  active: id.optional(),
  old: id.optional(),
})

const SCHEMA = z.object({
  /** The machine's host name. */
  name: z.string().max(MAX_NAME_LENGTH),
  /** Where agents reach it, as far as it knows itself. */
  address: z.string().max(MAX_NAME_LENGTH),
  version: z.string().max(MAX_NAME_LENGTH),
  /** Unix milliseconds by its own clock. */
  startedAtMs: z.number(),
  /** Of the bundle that it gives out. */
  bundleSequence: z.number(),
  x509: slots,
  jwt: slots,
  /**
   * Authority ID → when the last of what it signed with it ends, in unix milliseconds: nothing ends later. Of an authority
   * that is not in it nothing is valid any more, unless `ALL_OTHERS` is: then until that moment.
   */
  endsByMs: z
    .record(id, z.number())
    .refine((covered) => Object.keys(covered).length <= 2 * MAX_COVERED),
})

export type ServerDocument = Readonly<z.infer<typeof SCHEMA>>
export type SlotIds = ServerDocument['x509']

export function encodeServerDocument(document: ServerDocument): string {
  return JSON.stringify(document)
}

/** @returns undefined when it cannot be read */
export function decodeServerDocument(text: string): ServerDocument | undefined {
  try {
    return SCHEMA.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
