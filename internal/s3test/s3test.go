// Package s3test runs a real S3 server for a test: versitygw, as a process of
// its own on loopback, with a bucket that has versions and object lock.
//
// The program comes from tools/bin (tools/setup.sh builds it) or from the
// environment variable REFRAIN_VERSITYGW. Without it the test is skipped.
package s3test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A Server is one running S3 server with empty buckets.
type Server struct {
	Endpoint   string // "http://127.0.0.1:PORT"
	Bucket     string // versions and object lock on
	Plain      string // a second bucket, without either
	Region     string
	AccessKey  string
	SecretKey  string
	t          testing.TB
	program    string
	args       []string
	mu         sync.Mutex
	process    *exec.Cmd
	output     *bytes.Buffer // of the running process; read after it has ended
	httpClient *http.Client
}

// Start starts a server that ends with the test, or skips the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{
		Bucket: "refrain", Plain: "plain", Region: "us-east-1", AccessKey: "testkey", SecretKey: "testsecret",
		t: t, program: find(t), httpClient: &http.Client{Timeout: 5 * time.Second},
	}
	t.Cleanup(s.httpClient.CloseIdleConnections)
	base := t.TempDir()
	data, versions, sidecar := filepath.Join(base, "data"), filepath.Join(base, "versions"), filepath.Join(base, "sidecar")
	for _, dir := range []string{data, versions, sidecar} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	s.Endpoint = "http://" + address
	// A sidecar folder in place of extended attributes, which not every file system has.
	s.args = []string{"--port", address, "--access", s.AccessKey, "--secret", s.SecretKey, "--region", s.Region, "--quiet",
		"posix", "--versioning-dir", versions, "--sidecar", sidecar, data}
	s.run()
	t.Cleanup(s.Kill)
	client := s.Client()
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &s.Bucket, ObjectLockEnabledForBucket: aws.Bool(true)}); err != nil {
		t.Fatalf("make the bucket: %v", err)
	}
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &s.Plain}); err != nil {
		t.Fatalf("make the bucket: %v", err)
	}
	return s
}

// Client is a plain client of the server, to look at it from outside.
func (s *Server) Client() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &s.Endpoint, Region: s.Region, UsePathStyle: true, HTTPClient: s.httpClient,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	})
}

// Kill ends the server as kill -9 does. It does nothing if it is not running.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	_ = s.process.Wait() // says that it was killed
	s.process = nil
	s.httpClient.CloseIdleConnections()
}

// Restart starts a killed server again, at the same address with the same objects.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	s.run()
}

func (s *Server) run() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.output = &bytes.Buffer{}
	s.process = exec.Command(s.program, s.args...)
	s.process.Stdout, s.process.Stderr = s.output, s.output
	if err := s.process.Start(); err != nil {
		s.process = nil
		s.t.Fatalf("start %s: %v", s.program, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint+"/", nil)
		if err != nil {
			s.t.Fatal(err)
		}
		response, err := s.httpClient.Do(request)
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			return
		}
		select {
		case <-ctx.Done():
			_ = s.process.Process.Kill()
			_ = s.process.Wait()
			s.process = nil
			s.t.Fatalf("%s did not answer in 30 s: %v\n%s", s.program, err, s.output)
		case <-time.After(10 * time.Millisecond): // a process of its own tells in no other way
		}
	}
}

func find(t testing.TB) string {
	t.Helper()
	if program := os.Getenv("REFRAIN_VERSITYGW"); program != "" {
		if _, err := os.Stat(program); err != nil {
			t.Fatalf("REFRAIN_VERSITYGW: %v", err)
		}
		return program
	}
	program, err := builtTool("versitygw")
	if err != nil {
		t.Skipf("skipped: no S3 server: %v; run tools/setup.sh, or set REFRAIN_VERSITYGW", err)
	}
	return program
}

// builtTool finds a program that tools/setup.sh built, from any folder of the module.
func builtTool(name string) (string, error) {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "tools", "setup.sh")); err == nil {
			program := filepath.Join(dir, "tools", "bin", name)
			if _, err := os.Stat(program); err != nil {
				return "", fmt.Errorf("tools/bin has no %s", name)
			}
			return program, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("there is no tools folder above the test")
		}
		dir = filepath.Dir(dir)
	}
}
