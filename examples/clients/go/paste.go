// Get a user API key by copy and paste, read with it and post. Standard library only.
//
//	go run paste.go http://localhost:4000
package main

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: go run paste.go SITE")
	}
	if err := run(strings.TrimRight(os.Args[1], "/")); err != nil {
		log.Fatal(err)
	}
}

func run(site string) error {
	privateKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(&privateKey.PublicKey)
	if err != nil {
		return err
	}
	random := make([]byte, 20)
	if _, err := rand.Read(random); err != nil {
		return err
	}
	// Twenty bytes come to twenty-eight characters with a "=" at the end, which Encode escapes.
	nonce := base64.URLEncoding.EncodeToString(random)
	parameters := url.Values{
		"application_name": {"Paste in Go"},
		"client_id":        {"paste-in-go"},
		"scopes":           {"read,write"},
		"public_key":       {string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))},
		"nonce":            {nonce},
	}
	fmt.Printf("open %s/user-api-key/new?%s\npaste the payload: ", site, parameters.Encode())

	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return err
	}
	key, err := open(privateKey, line, nonce)
	if err != nil {
		return err
	}

	client := client{site, key}
	var session struct {
		CurrentUser struct {
			Username string `json:"username"`
		} `json:"current_user"`
	}
	if err := client.call("GET", "/session/current.json", nil, &session); err != nil {
		return err
	}
	fmt.Printf("\nhello, %s\n", session.CurrentUser.Username)

	var categories struct {
		List struct {
			Categories []struct {
				ID int `json:"id"`
			} `json:"categories"`
		} `json:"category_list"`
	}
	if err := client.call("GET", "/categories.json", nil, &categories); err != nil {
		return err
	}
	if len(categories.List.Categories) == 0 {
		return errors.New("the site has no category to post in")
	}
	topic := map[string]any{
		"title":    "Hello from Go",
		"raw":      "Written with crypto/rsa and a user API key.",
		"category": categories.List.Categories[0].ID,
	}
	var post struct {
		TopicID   int    `json:"topic_id"`
		TopicSlug string `json:"topic_slug"`
	}
	if err := client.call("POST", "/posts.json", topic, &post); err != nil {
		return err
	}
	fmt.Printf("posted %s/t/%s/%d\n", site, post.TopicSlug, post.TopicID)
	return nil
}

// open takes the key out of a payload that answers the request with this nonce.
func open(privateKey *rsa.PrivateKey, line, nonce string) (string, error) {
	sealed, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(strings.TrimSpace(line), " ", ""))
	if err != nil {
		return "", fmt.Errorf("the payload is no Base64: %w", err)
	}
	// Without options Decrypt means RSAES-PKCS1-v1_5.
	opened, err := privateKey.Decrypt(rand.Reader, sealed, nil)
	if err != nil {
		return "", fmt.Errorf("the payload was sealed for another key: %w", err)
	}
	var payload struct{ Key, Nonce string }
	if err := json.Unmarshal(opened, &payload); err != nil {
		return "", err
	}
	if payload.Nonce != nonce {
		return "", errors.New("the payload answers another request")
	}
	return payload.Key, nil
}

type client struct{ site, key string }

func (c client) call(method, path string, body, into any) error {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = strings.NewReader(string(text))
	}
	request, err := http.NewRequest(method, c.site+path, sent)
	if err != nil {
		return err
	}
	request.Header.Set("User-Api-Key", c.key)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
