#!/usr/bin/env ruby
# Get a user API key by copy and paste, and read with it. Standard library only.
#
#     ruby paste.rb http://localhost:4000

require 'base64'
require 'json'
require 'net/http'
require 'openssl'
require 'uri'

site = ARGV.fetch(0).chomp('/')
private_key = OpenSSL::PKey::RSA.new(2048)
# The command ends its answer with a line feed, and so does this client id. A site takes it as it is.
client_id = `hostname`

query = URI.encode_www_form(
  application_name: 'Paste in Ruby',
  client_id: client_id,
  scopes: 'read',
  public_key: private_key.public_key.to_pem,
  nonce: '1',
)
puts "open #{site}/user-api-key/new?#{query}"
puts 'paste the payload, on as many lines as you like, then an empty one:'
$stdout.flush

pasted = $stdin.each_line.take_while { |line| !line.strip.empty? }.join
payload = JSON.parse(private_key.private_decrypt(Base64.decode64(pasted)))
abort 'the payload answers another request' unless payload['nonce'] == '1'

answer = Net::HTTP.get_response(URI("#{site}/session/current.json"), 'User-Api-Key' => payload['key'])
abort answer.body unless answer.is_a?(Net::HTTPOK)
puts "hello, #{JSON.parse(answer.body).dig('current_user', 'username')}"
