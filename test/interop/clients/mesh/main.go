// Command mesh-client asks for certificates as the proxies of three service meshes do: their keys, signing requests,
// headers, checks of the answer and retries. It prints one line of JSON: the certificates, or how it was refused.
//
//	mesh-client ztunnel      EC key, no subject, asks for the identity of a pod on its node
//	mesh-client istio-agent  RSA or EC key, empty organization, asks for its own identity
//	mesh-client linkerd      EC key, DER, a DNS name
package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// outcome is what is printed.
type outcome struct {
	Chain      []string   `json:"chain,omitempty"`
	ValidUntil *time.Time `json:"validUntil,omitempty"`
	Attempts   int        `json:"attempts"`
	Code       string     `json:"code,omitempty"`
	Message    string     `json:"message,omitempty"`
}

type options struct {
	address, rootFile, serverName, tokenFile, cluster string
	identity, impersonate, keyType, keyFile           string
	ttl                                               int64
	retries                                           int
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: mesh-client ztunnel | istio-agent | linkerd [flags]")
		os.Exit(2)
	}
	var o options
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	flags.StringVar(&o.address, "address", "", "of the CA")
	flags.StringVar(&o.rootFile, "root", "", "PEM of the roots that its certificate is verified by; read for each attempt")
	flags.StringVar(&o.serverName, "server-name", "", "name that its certificate must have")
	flags.StringVar(&o.tokenFile, "token", "", "file of the service account token; read for each attempt")
	flags.StringVar(&o.cluster, "cluster", "", "sent as the header clusterid; empty: no header")
	flags.StringVar(&o.identity, "identity", "", "name in the signing request")
	flags.StringVar(&o.impersonate, "impersonate", "", "ztunnel: sent as ImpersonatedIdentity")
	flags.StringVar(&o.keyType, "key-type", "", "istio-agent: rsa-2048 (default), ec-p256, ec-p384")
	flags.StringVar(&o.keyFile, "key", "", "where the private key is written")
	flags.Int64Var(&o.ttl, "ttl", 86400, "seconds")
	flags.IntVar(&o.retries, "retries", 0, "ztunnel and linkerd: how often it asks again after a failure")
	_ = flags.Parse(os.Args[2:])
	done, err := run(os.Args[1], o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mesh-client:", err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(done)
}

func run(kind string, o options) (outcome, error) {
	switch kind {
	case "ztunnel":
		return attempts(o, ztunnelBackoff(o.retries), func(ctx context.Context) (outcome, error) { return ztunnel(ctx, o) })
	case "istio-agent":
		return attempts(o, istioAgentBackoff(), func(ctx context.Context) (outcome, error) { return istioAgent(ctx, o) })
	case "linkerd":
		return attempts(o, ztunnelBackoff(o.retries), func(ctx context.Context) (outcome, error) { return linkerd(ctx, o) })
	}
	return outcome{}, fmt.Errorf("no mesh proxy is called %q", kind)
}

// attempts asks until it works or the proxy would give up.
func attempts(_ options, again func(attempt int, code codes.Code) (time.Duration, bool), ask func(context.Context) (outcome, error)) (outcome, error) {
	for attempt := 1; ; attempt++ {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		done, err := ask(ctx)
		cancel()
		done.Attempts = attempt
		if err == nil {
			return done, nil
		}
		refused, isStatus := status.FromError(err)
		code, message := codes.Unknown, err.Error()
		if isStatus {
			code, message = refused.Code(), refused.Message()
		}
		pause, goesOn := again(attempt, code)
		if !goesOn {
			return outcome{Attempts: attempt, Code: code.String(), Message: message}, nil
		}
		time.Sleep(pause)
	}
}

// roots reads the file of roots anew, as proxies do when it changes.
func roots(o options) (*x509.CertPool, error) {
	pem, err := os.ReadFile(o.rootFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", o.rootFile)
	}
	return pool, nil
}
