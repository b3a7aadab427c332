// Command go-client drives the SPIFFE Workload API with go-spiffe, the reference client library, and prints
// what it got as JSON lines. It is how the interop tests see Steeple's agent through foreign eyes.
//
//	go-client fetch AUDIENCE          one X.509 context, one JWT-SVID, validated by the agent and locally
//	go-client watch                   a line for every X.509 update
//	go-client serve ADDRESS CLIENT-ID HTTPS over mutual TLS; answers "hello <peer ID>"
//	go-client call URL SERVER-ID      one GET over mutual TLS; prints the body
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sort"
	"syscall"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "go-client:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "fetch":
		return fetch(ctx, args[1])
	case len(args) == 1 && args[0] == "watch":
		return workloadapi.WatchX509Context(ctx, watcher{})
	case len(args) == 3 && args[0] == "serve":
		return serve(ctx, args[1], args[2])
	case len(args) == 3 && args[0] == "call":
		return call(ctx, args[1], args[2])
	}
	return fmt.Errorf("usage: go-client fetch AUDIENCE | watch | serve ADDRESS CLIENT-ID | call URL SERVER-ID")
}

// svid is what a line says of one X509-SVID.
type svid struct {
	ID       string    `json:"id"`
	Hint     string    `json:"hint"`
	Serial   string    `json:"serial"`
	NotAfter time.Time `json:"notAfter"`
	Verified string    `json:"verified"`
}

func describe(x *workloadapi.X509Context) []svid {
	var out []svid
	for _, s := range x.SVIDs {
		verified := "ok"
		if _, _, err := x509svid.Verify(s.Certificates, x.Bundles); err != nil {
			verified = err.Error()
		}
		leaf := s.Certificates[0]
		out = append(out, svid{s.ID.String(), s.Hint, leaf.SerialNumber.String(), leaf.NotAfter, verified})
	}
	return out
}

func fetch(ctx context.Context, audience string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	x, err := workloadapi.FetchX509Context(ctx)
	if err != nil {
		return fmt.Errorf("X.509: %w", err)
	}
	tokens, err := workloadapi.FetchJWTSVIDs(ctx, jwtsvid.Params{Audience: audience})
	if err != nil {
		return fmt.Errorf("JWT: %w", err)
	}
	bundles, err := workloadapi.FetchJWTBundles(ctx)
	if err != nil {
		return fmt.Errorf("JWT bundles: %w", err)
	}
	var subjects []string
	for _, token := range tokens {
		if _, err := workloadapi.ValidateJWTSVID(ctx, token.Marshal(), audience); err != nil {
			return fmt.Errorf("validated by the agent: %w", err)
		}
		local, err := jwtsvid.ParseAndValidate(token.Marshal(), bundles, []string{audience})
		if err != nil {
			return fmt.Errorf("validated locally: %w", err)
		}
		subjects = append(subjects, local.ID.String())
	}
	if _, err := workloadapi.ValidateJWTSVID(ctx, tokens[0].Marshal(), audience+"-other"); err == nil {
		return fmt.Errorf("the agent accepted a token for another audience")
	}
	return printLine(map[string]any{"svids": describe(x), "tokens": subjects, "jwtBundles": names(bundles)})
}

func names(set *jwtbundle.Set) []string {
	var out []string
	for _, bundle := range set.Bundles() {
		out = append(out, bundle.TrustDomain().IDString())
	}
	sort.Strings(out)
	return out
}

type watcher struct{}

func (watcher) OnX509ContextUpdate(x *workloadapi.X509Context) {
	_ = printLine(map[string]any{"svids": describe(x)})
}

func (watcher) OnX509ContextWatchError(err error) {
	_ = printLine(map[string]any{"error": err.Error()})
}

func serve(ctx context.Context, address, clientID string) error {
	id, err := spiffeid.FromString(clientID)
	if err != nil {
		return err
	}
	source, err := workloadapi.NewX509Source(ctx)
	if err != nil {
		return err
	}
	defer source.Close()
	config := tlsconfig.MTLSServerConfig(source, source, tlsconfig.AuthorizeID(id))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	if err := printLine(map[string]any{"listening": listener.Addr().String()}); err != nil {
		return err
	}
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "hello %s", r.TLS.PeerCertificates[0].URIs[0])
		}),
	}
	go func() { <-ctx.Done(); server.Close() }()
	if err := server.Serve(tls.NewListener(listener, config)); err != http.ErrServerClosed {
		return err
	}
	return nil
}

func call(ctx context.Context, url, serverID string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	id, err := spiffeid.FromString(serverID)
	if err != nil {
		return err
	}
	source, err := workloadapi.NewX509Source(ctx)
	if err != nil {
		return err
	}
	defer source.Close()
	client := http.Client{Transport: &http.Transport{
		TLSClientConfig: tlsconfig.MTLSClientConfig(source, source, tlsconfig.AuthorizeID(id)),
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	return printLine(map[string]any{"status": response.StatusCode, "body": string(body)})
}

func printLine(v any) error {
	return json.NewEncoder(os.Stdout).Encode(v)
}
