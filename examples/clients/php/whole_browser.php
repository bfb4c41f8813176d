<?php
/**
 * Signs in, approves and uses a key without any browser, as a test of an integration does.
 *
 *     php whole_browser.php http://localhost:4000 USERNAME < file-with-the-password
 *
 * The site must list web+nextclouddiscourse://auth-redirect in its setting allowed_user_api_auth_redirects.
 * Needs PHP with OpenSSL and cURL (Debian: php-cli, php-curl).
 */

declare(strict_types=1);

const REDIRECT = 'web+nextclouddiscourse://auth-redirect';
const NONCE_CHARACTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~';

if ($argc !== 3) {
    fwrite(STDERR, "usage: php whole_browser.php SITE USERNAME < FILE_WITH_THE_PASSWORD\n");
    exit(2);
}
[, $site, $username] = $argv;
$password = trim((string) fgets(STDIN));
$browser = new Browser(rtrim($site, '/'));

$private_key = openssl_pkey_new(['private_key_bits' => 2048, 'private_key_type' => OPENSSL_KEYTYPE_RSA]);
$request = [
    'client_id' => bin2hex(random_bytes(16)),
    'auth_redirect' => REDIRECT,
    'application_name' => 'Whole browser in PHP',
    'nonce' => nonce(),
    'public_key' => openssl_pkey_get_details($private_key)['key'],
    'scopes' => 'read,write,notifications',
];

// 1. The address that the user would open. Nobody is signed in: the site answers with its sign-in.
$browser->get('/user-api-key/new?' . http_build_query($request));

// 2. Sign in, with the token that every form of a browser needs.
$csrf = $browser->get('/session/csrf')['csrf'];
$signed_in = $browser->post('/session', [
    'login' => $username,
    'password' => $password,
    'second_factor_method' => '1',
    'timezone' => 'UTC',
], ["X-CSRF-Token: $csrf"]);
isset($signed_in['user']) || fail("sign-in: {$signed_in['error']}");
echo 'signed in as ', $browser->get('/session/current.json')['current_user']['username'], "\n";

// 3. The sign-in page's own form, which sends the browser on to where it wanted to go.
$browser->post('/login', ['username' => $username, 'password' => $password, 'redirect' => "$site/"]);

// 4. Approve, with the token of the session that has begun meanwhile.
$csrf = $browser->get('/session/csrf')['csrf'];
$approved = $browser->post('/user-api-key', $request, ['Accept: application/json', "X-CSRF-Token: $csrf"]);
$redirect = $approved['redirect_url'];
str_starts_with($redirect, REDIRECT . '?') || fail("the site redirects to $redirect");

// 5. What the app does with the redirect.
parse_str((string) parse_url($redirect, PHP_URL_QUERY), $query);
$sealed = base64_decode($query['payload'], true);
($sealed !== false && openssl_private_decrypt($sealed, $opened, $private_key)) || fail('the payload does not open');
$payload = json_decode($opened, true, flags: JSON_THROW_ON_ERROR);
hash_equals($request['nonce'], $payload['nonce']) || fail('the payload answers another request');

$app = new Browser(rtrim($site, '/'), ["User-Api-Key: {$payload['key']}"]);
echo 'hello, ', $app->get('/session/current.json')['current_user']['username'], "\n";
echo count($app->get('/notifications.json')['notifications']), " notifications\n";
$found = $app->get('/search.json?' . http_build_query(['q' => 'welcome']));
echo 'found: ', implode(', ', array_column($found['topics'], 'title')), "\n";

function nonce(): string
{
    $characters = array_map(fn () => NONCE_CHARACTERS[random_int(0, strlen(NONCE_CHARACTERS) - 1)], range(1, 16));
    return implode($characters);
}

function fail(string $why): never
{
    fwrite(STDERR, "$why\n");
    exit(1);
}

/** Keeps cookies, follows redirects on its own site, and reads JSON where it gets some. */
final class Browser
{
    private CurlHandle $curl;

    /** @param string[] $headers sent with every request */
    public function __construct(private string $site, private array $headers = [])
    {
        $this->curl = curl_init();
        // An empty file name turns the handling of cookies on.
        curl_setopt_array($this->curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_COOKIEFILE => '', CURLOPT_FOLLOWLOCATION => true]);
    }

    public function get(string $path): array
    {
        return $this->send($path, [CURLOPT_HTTPGET => true]);
    }

    public function post(string $path, array $fields, array $headers = []): array
    {
        // No CURLOPT_CUSTOMREQUEST: after a redirect, cURL goes on with GET, as a browser does.
        return $this->send($path, [CURLOPT_POST => true, CURLOPT_POSTFIELDS => http_build_query($fields)], $headers);
    }

    private function send(string $path, array $options, array $headers = []): array
    {
        $headers = [...$this->headers, ...$headers];
        curl_setopt_array($this->curl, [CURLOPT_URL => $this->site . $path, CURLOPT_HTTPHEADER => $headers] + $options);
        $answer = curl_exec($this->curl);
        $status = curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE);
        if ($answer === false || $status !== 200) {
            fail("$path: " . ($answer === false ? curl_error($this->curl) : "$status: $answer"));
        }
        return json_decode($answer, true) ?? [];
    }
}
