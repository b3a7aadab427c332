/**
 * A certificate and its key in PEM files that somebody else renews, for a TLS server. Files that cannot be read, or do
 * not belong together, leave the last good pair in place.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { TlsOptions } from 'node:tls'
import type { Clock } from '../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../spiffe/error.ts'

/** PEM, as TLS takes it. */
export interface CertificateAndKey {
  readonly cert: string
  readonly key: string
}

/** What a TLS server shows: the newest at any time. */
export interface ServingCertificate {
  current(): CertificateAndKey
  /** @returns how to stop listening */
  onChange(listener: () => void): () => void
  /** Further settings of that server: a choice by the name asked for, answers to a CA. */
  readonly tls?: Pick<TlsOptions, 'ALPNCallback' | 'SNICallback'>
}

export interface CertificateFiles {
  readonly certPath: string
  readonly keyPath: string
  readonly syncIntervalMs: number
}

export interface FileCertificate extends ServingCertificate {
  /** Looks at the files again and again until the signal aborts. */
  follow(signal: AbortSignal): Promise<void>
}

export interface FileCertificateDeps {
  readonly clock: Clock
  readonly onChanged: () => void
  readonly onFailure: (error: unknown) => void
}

/** @throws IdentityError CONFIG_INVALID when there is nothing to begin with */
export async function openCertificateFiles(
  files: CertificateFiles,
  { clock, onChanged, onFailure }: FileCertificateDeps,
): Promise<FileCertificate> {
  let current = await readPair(files)
  const listeners = new Set<() => void>()
  return {
    current: () => current,
    onChange(listener) {
      const entry = () => listener()
      listeners.add(entry)
      return () => listeners.delete(entry)
    },
    async follow(signal) {
      while (!signal.aborted) {
        await clock.sleep(files.syncIntervalMs, signal)
        if (signal.aborted) return
        try {
          const next = await readPair(files)
          if (next.cert === current.cert && next.key === current.key) continue
          current = next
          for (const listener of listeners) listener()
          onChanged()
        } catch (error) {
          onFailure(error)
        }
      }
    },
  }
}

async function readPair({ certPath, keyPath }: CertificateFiles): Promise<CertificateAndKey> {
  const cert = await read('cert_file_path', certPath)
  const key = await read('key_file_path', keyPath)
  try {
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return { cert, key }
  } catch {
    // What OpenSSL says of a key might quote it.
    throw refusal(`${certPath} and ${keyPath} are no PEM certificate and key without a password`)
  }
  throw refusal(`the key in ${keyPath} is not that of the certificate in ${certPath}`)
}

async function read(name: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw refusal(`cannot read serving_cert_file.${name} ${path}: ${reasonOf(error)}`)
  }
}

function refusal(message: string): IdentityError {
  return new IdentityError('CONFIG_INVALID', message)
}
