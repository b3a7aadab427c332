/**
 * Who the proxy is for one workload: its newest SVID and the bundle of each trust domain by itself. Where they come from is
 * the business of whoever opens it: the Workload API beside a workload, the Delegated Identity API for a whole node.
 */
import type { TlsIdentity } from '../../workload/tls/tls-identity.ts'

export interface ProxyIdentity extends TlsIdentity, AsyncDisposable {}
