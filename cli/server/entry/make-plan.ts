/** From a file and a running server to the plan that leads from one to the other: what diff and apply share. */
import { IdentityError } from '../../../spiffe/error.ts'
import type { Session } from '../../command.ts'
import type { FlagValues } from '../../flag/flag.ts'
import { boolean } from '../../flag/kinds.ts'
import type { Endpoint } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'
import { readInputFile, STDIN } from '../input-file.ts'
import { type Declaration, parseDeclaration } from './declaration.ts'
import { listEntries } from './list-entries.ts'
import { parsePlain } from './plain-value.ts'
import { type Plan, planEntries } from './plan.ts'

export const planFlags = {
  ...operatorFlags,
  prune: boolean('delete entries of the owner that the file does not name'),
}

export const FILE = { usage: '<file>', count: 1, choices: 'files' } as const

/** What the file of diff and apply is, for their help. */
export const FILE_DETAILS = `The file is that of "entry create -data", in JSON or YAML (- for standard input), and may say whose it is:

    owner: shop
    entries:
      - spiffe_id: spiffe://example.org/web
        parent_id: spiffe://example.org/nodes
        selectors: [{type: unix, value: "uid:1000"}]

Entries are found again by their ID, which begins with the owner and a dot. An entry whose ID begins otherwise is never touched.`

export interface FilePlan {
  readonly declaration: Declaration
  readonly plan: Plan
}

/** @throws IdentityError before the server is asked, when the file is wrong */
export async function readDeclaration(
  path: string,
  { prune }: Pick<FlagValues<typeof planFlags>, 'prune'>,
  { terminal }: Session,
): Promise<Declaration> {
  const name = path === STDIN ? 'standard input' : path
  const declaration = parseDeclaration(parsePlain(name, await readInputFile(path, terminal)))
  if (prune === true && !declaration.isOwnerNamed) {
    const why = 'another file without one would lose its entries'
    throw new IdentityError('REQUEST_INVALID', `-prune needs an "owner" in ${name}: ${why}`)
  }
  return declaration
}

/** @throws IdentityError */
export async function makePlan(
  server: Endpoint,
  declaration: Declaration,
  { prune }: Pick<FlagValues<typeof planFlags>, 'prune'>,
): Promise<FilePlan> {
  const existing = await listEntries(server, {})
  return { declaration, plan: planEntries(declaration, existing, { prune: prune === true }) }
}
