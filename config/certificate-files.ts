/** The serving_cert_file block: certificate and key files of an HTTPS server, wherever there is one. */
import { type Read, required, section, withDefault } from './check.ts'
import { milliseconds, text } from './value.ts'

export function certificateFiles() {
  return section({
    cert_file_path: required(text('a path'), 'PEM file of the certificate and its chain'),
    key_file_path: required(text('a path'), 'PEM file of its key'),
    file_sync_interval: withDefault(
      milliseconds(),
      '1h',
      'how often the files are looked at again',
    ),
  })
}

export interface CertificateFilesConfig {
  readonly certPath: string
  readonly keyPath: string
  readonly syncIntervalMs: number
}

export function certificateFilesOf(
  read: Read<ReturnType<typeof certificateFiles>['keys']>,
): CertificateFilesConfig {
  return {
    certPath: read.cert_file_path,
    keyPath: read.key_file_path,
    syncIntervalMs: read.file_sync_interval,
  }
}
