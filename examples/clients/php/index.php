<?php
/**
 * "Sign in with the forum": a page that asks for a user API key and greets whoever approves.
 *
 *     SITE=http://localhost:4000 php -S localhost:8000 index.php
 *
 * Then open http://localhost:8000. Needs PHP with OpenSSL, as Debian's php-cli has it.
 */

declare(strict_types=1);

session_start();
$site = rtrim(getenv('SITE') ?: 'http://localhost:4000', '/');

if (isset($_GET['payload'])) {
    $payload = open_sealed((string) $_GET['payload']);
    $user = current_user($site, $payload['key']);
    header('Content-Type: text/plain; charset=utf-8');
    echo "hello, {$user['username']}\n";
} else {
    header('Location: ' . authorize_address($site));
}

/** Where the user approves. The private key and the nonce wait in the session for the answer. */
function authorize_address(string $site): string
{
    $private_key = openssl_pkey_new(['private_key_bits' => 2048, 'private_key_type' => OPENSSL_KEYTYPE_RSA]);
    openssl_pkey_export($private_key, $_SESSION['private_key']);
    $_SESSION['nonce'] = bin2hex(random_bytes(16));
    return "$site/user-api-key/new?" . http_build_query([
        // No path and no slash: the site puts "?payload=…" right behind it.
        'auth_redirect' => "http://{$_SERVER['HTTP_HOST']}",
        'application_name' => 'Sign-in in PHP',
        'scopes' => 'session_info',
        'client_id' => bin2hex(random_bytes(48)),
        'nonce' => $_SESSION['nonce'],
        'public_key' => openssl_pkey_get_details($private_key)['key'],
    ]);
}

/** @return array{key: string, nonce: string} */
function open_sealed(string $payload): array
{
    $private_key = $_SESSION['private_key'] ?? throw new RuntimeException('nothing was asked for in this session');
    if (!openssl_private_decrypt(base64_decode($payload), $opened, $private_key)) {
        throw new RuntimeException('the payload was sealed for another key');
    }
    $values = json_decode($opened, true, flags: JSON_THROW_ON_ERROR);
    if (!hash_equals($_SESSION['nonce'], $values['nonce'])) {
        throw new RuntimeException('the payload answers another request');
    }
    return $values;
}

function current_user(string $site, string $key): array
{
    $context = stream_context_create(['http' => ['header' => "User-Api-Key: $key"]]);
    $answer = file_get_contents("$site/session/current.json", false, $context);
    if ($answer === false) {
        throw new RuntimeException('the site did not say who you are');
    }
    return json_decode($answer, true, flags: JSON_THROW_ON_ERROR)['current_user'];
}
