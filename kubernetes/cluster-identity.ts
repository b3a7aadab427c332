/**
 * Tells clusters apart where several processes must agree on which one they mean: two that run in different clusters often
 * call theirs by the same address. Two ways to the same cluster may look like two clusters; never the other way round.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { readKubeconfig } from './open-cluster.ts'
import { readServiceAccount, SERVICE_ACCOUNT_DIRECTORY } from './service-account.ts'

/** Hexadecimal digits: far fewer clusters than it tells apart. */
const DIGITS = 12

/**
 * @param kubeconfig undefined or empty: the service account of the pod we run in
 * @returns digits made of the address and of the certificate authorities @throws IdentityError CONFIG_INVALID
 */
export async function clusterIdentity(kubeconfig: string | undefined): Promise<string> {
  if (kubeconfig === undefined || kubeconfig === '') {
    const ca = await readAuthorities(join(SERVICE_ACCOUNT_DIRECTORY, 'ca.crt'))
    return identityOf(readServiceAccount().server, ca)
  }
  const { server, config } = await readKubeconfig({ kubeconfig })
  const { caData, caFile } = config.getCurrentCluster() ?? {}
  if (caData !== undefined) return identityOf(server, Buffer.from(caData, 'base64'))
  return identityOf(server, caFile === undefined ? '' : await readAuthorities(caFile))
}

function identityOf(server: string, authorities: Uint8Array | string): string {
  const hash = createHash('sha256').update(`${server}\0`).update(authorities)
  return hash.digest('hex').slice(0, DIGITS)
}

async function readAuthorities(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    const why = `cannot read the certificate authorities of the cluster in ${path}: ${reasonOf(cause)}`
    throw new IdentityError('CONFIG_INVALID', why, { cause })
  }
}
