package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	mrand "math/rand/v2"
	"net/url"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
)

const (
	createCertificate = "/istio.v1.auth.IstioCertificateService/CreateCertificate"
	certify           = "/io.linkerd.proxy.identity.Identity/Certify"
)

// ztunnel keeps asking: half a second, doubled up to 150.
func ztunnelBackoff(retries int) func(int, codes.Code) (time.Duration, bool) {
	return func(attempt int, _ codes.Code) (time.Duration, bool) {
		pause := time.Duration(math.Min(500*math.Pow(2, float64(attempt-1)), 150_000)) * time.Millisecond
		return pause, attempt <= retries
	}
}

// istio-agent asks five times, and only after errors that may pass.
func istioAgentBackoff() func(int, codes.Code) (time.Duration, bool) {
	passing := map[codes.Code]bool{
		codes.Canceled: true, codes.DeadlineExceeded: true, codes.ResourceExhausted: true,
		codes.Aborted: true, codes.Internal: true, codes.Unavailable: true,
	}
	return func(attempt int, code codes.Code) (time.Duration, bool) {
		pause := 100 * math.Pow(2, float64(attempt-1)) * (0.9 + 0.2*mrand.Float64())
		return time.Duration(pause) * time.Millisecond, attempt < 5 && passing[code]
	}
}

func ztunnel(ctx context.Context, o options) (outcome, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return outcome{}, err
	}
	csr, err := uriCSR(key, o.identity, pkix.Name{})
	if err != nil {
		return outcome{}, err
	}
	fields := map[string]string{}
	if o.impersonate != "" {
		fields["ImpersonatedIdentity"] = o.impersonate
	}
	chain, err := askIstioCA(ctx, o, csr, fields)
	if err != nil {
		return outcome{}, err
	}
	// It reads element by element and demands the name that it asked for.
	for i, one := range chain {
		if i < len(chain)-1 && strings.Count(one, "BEGIN CERTIFICATE") != 1 {
			return outcome{}, fmt.Errorf("element %d has not one certificate", i)
		}
	}
	if len(chain) == 0 {
		return outcome{}, errors.New("no chain")
	}
	if err := expectSAN(chain[0], o.identity); err != nil {
		return outcome{}, err
	}
	return outcome{Chain: chain}, writeKey(o, key)
}

func istioAgent(ctx context.Context, o options) (outcome, error) {
	key, err := agentKey(o.keyType)
	if err != nil {
		return outcome{}, err
	}
	csr, err := uriCSR(key, o.identity, pkix.Name{Organization: []string{""}})
	if err != nil {
		return outcome{}, err
	}
	chain, err := askIstioCA(ctx, o, csr, map[string]string{"CertSigner": ""})
	if err != nil {
		return outcome{}, err
	}
	if len(chain) <= 1 {
		return outcome{}, errors.New("invalid empty CertChain")
	}
	for _, one := range chain {
		if !strings.HasSuffix(one, "\n") {
			return outcome{}, errors.New("an element does not end its line")
		}
	}
	// The whole chain must make a key pair, as it is written to the socket.
	if err := expectSAN(chain[0], o.identity); err != nil {
		return outcome{}, err
	}
	return outcome{Chain: chain}, writeKey(o, key)
}

func linkerd(ctx context.Context, o options) (outcome, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return outcome{}, err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{o.identity}}, key)
	if err != nil {
		return outcome{}, err
	}
	token, err := os.ReadFile(o.tokenFile)
	if err != nil {
		return outcome{}, err
	}
	var answer []byte
	if err := call(ctx, o, certify, certifyRequest(o.identity, token, csr), &answer); err != nil {
		return outcome{}, err
	}
	leaf, intermediates, validUntil, err := readCertifyResponse(answer)
	if err != nil {
		return outcome{}, err
	}
	pool, err := roots(o)
	if err != nil {
		return outcome{}, err
	}
	if err := verifyLinkerd(leaf, intermediates, pool, o.identity, validUntil); err != nil {
		return outcome{}, err
	}
	done := outcome{ValidUntil: &validUntil}
	for _, der := range append([][]byte{leaf}, intermediates...) {
		done.Chain = append(done.Chain, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	}
	return done, writeKey(o, key)
}

func verifyLinkerd(leaf []byte, intermediates [][]byte, anchors *x509.CertPool, name string, until time.Time) error {
	cert, err := x509.ParseCertificate(leaf)
	if err != nil {
		return err
	}
	between := x509.NewCertPool()
	for _, der := range intermediates {
		one, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		between.AddCert(one)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		options := x509.VerifyOptions{
			DNSName: name, Roots: anchors, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{usage},
		}
		if _, err := cert.Verify(options); err != nil {
			return err
		}
	}
	if !cert.NotAfter.Equal(until) {
		return fmt.Errorf("valid until %s, but the certificate ends %s", until, cert.NotAfter)
	}
	return nil
}

func askIstioCA(ctx context.Context, o options, csr []byte, fields map[string]string) ([]string, error) {
	token, err := os.ReadFile(o.tokenFile)
	if err != nil {
		return nil, err
	}
	headers := []string{"authorization", "Bearer " + strings.TrimSpace(string(token))}
	if o.cluster != "" {
		headers = append(headers, "ClusterID", o.cluster)
	}
	ctx = metadata.AppendToOutgoingContext(ctx, headers...)
	request, err := istioRequest(csr, o.ttl, fields)
	if err != nil {
		return nil, err
	}
	var answer []byte
	if err := call(ctx, o, createCertificate, request, &answer); err != nil {
		return nil, err
	}
	return readIstioResponse(answer)
}

// call makes a new connection, as a client that was rebuilt after a failure.
func call(ctx context.Context, o options, method string, request []byte, answer *[]byte) error {
	pool, err := roots(o)
	if err != nil {
		return err
	}
	config := &tls.Config{RootCAs: pool, ServerName: o.serverName, MinVersion: tls.VersionTLS12}
	connection, err := grpc.NewClient("passthrough:///"+o.address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		return err
	}
	defer connection.Close()
	return connection.Invoke(ctx, method, &request, answer, grpc.ForceCodec(rawCodec{}))
}

func agentKey(kind string) (crypto.Signer, error) {
	switch kind {
	case "", "rsa-2048":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "ec-p256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ec-p384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	return nil, fmt.Errorf("no key type %q", kind)
}

func uriCSR(key crypto.Signer, identity string, subject pkix.Name) ([]byte, error) {
	uri, err := url.Parse(identity)
	if err != nil {
		return nil, err
	}
	template := &x509.CertificateRequest{Subject: subject, URIs: []*url.URL{uri}}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

func expectSAN(leaf, identity string) error {
	block, _ := pem.Decode([]byte(leaf))
	if block == nil {
		return errors.New("the first element is no certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	if len(cert.URIs) != 1 || cert.URIs[0].String() != identity {
		return fmt.Errorf("did not find expected SAN: %s", identity)
	}
	return nil
}

func writeKey(o options, key crypto.Signer) error {
	if o.keyFile == "" {
		return nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(o.keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}
