#!/usr/bin/env ruby
# A site whose administrator connects it to another site: the key comes to the page /admin/…/callback, is used, and is
# given back. Standard library only.
#
#     ruby site_to_site.rb http://localhost:4000 [PORT]

require 'base64'
require 'json'
require 'net/http'
require 'openssl'
require 'securerandom'
require 'socket'
require 'uri'

CALLBACK = '/admin/plugins/subscription-client/suppliers/authorize/callback'.freeze

# What is kept between the request and its answer.
class Supplier
  def initialize(site, own_address, user_id)
    @site = site
    @own_address = own_address
    @private_key = OpenSSL::PKey::RSA.new(2048)
    @nonce = SecureRandom.hex(32)
    @client_id = "#{URI(own_address).host}:#{user_id}:#{SecureRandom.hex(16)}"
  end

  def authorize_address
    "#{@site}/user-api-key/new?" + URI.encode_www_form(
      public_key: @private_key.public_key.to_pem,
      nonce: @nonce,
      client_id: @client_id,
      auth_redirect: "#{@own_address}#{CALLBACK}",
      application_name: 'Site to site in Ruby',
      scopes: 'session_info',
    )
  end

  def take(payload)
    opened = JSON.parse(@private_key.private_decrypt(Base64.decode64(payload)))
    raise 'the payload answers another request' unless opened['nonce'] == @nonce

    @key = opened['key']
  end

  def username
    request(Net::HTTP::Get.new('/session/current.json')).dig('current_user', 'username')
  end

  def revoke
    request(Net::HTTP::Post.new('/user-api-key/revoke'))['success'] == 'OK'
  end

  private

  def request(request)
    request['User-Api-Key'] = @key
    request['User-Api-Client-Id'] = @client_id
    address = URI(@site)
    answer = Net::HTTP.start(address.host, address.port, use_ssl: address.scheme == 'https') { |http| http.request(request) }
    raise answer.body unless answer.is_a?(Net::HTTPSuccess)

    JSON.parse(answer.body)
  end
end

# Stands for the site’s own web server: answers until the callback has come, and returns the payload.
def wait_for_payload(server)
  loop do
    browser = server.accept
    _method, target, = browser.gets.to_s.split
    nil until browser.gets.to_s.strip.empty?
    address = URI(target.to_s)
    payload = URI.decode_www_form(address.query.to_s).to_h['payload'] if address.path == CALLBACK
    text = payload ? 'You can close this page.' : 'Nothing here.'
    browser.write "HTTP/1.1 #{payload ? '200 OK' : '404 Not Found'}\r\nContent-Length: #{text.bytesize}\r\n" \
                  "Connection: close\r\n\r\n#{text}"
    browser.close
    return payload if payload
  end
end

port = Integer(ARGV.fetch(1, '3001'))
server = TCPServer.new('127.0.0.1', port)
supplier = Supplier.new(ARGV.fetch(0).chomp('/'), "http://localhost:#{port}", 1)
puts "open #{supplier.authorize_address}"
$stdout.flush
supplier.take(wait_for_payload(server))
puts "hello, #{supplier.username}"
puts supplier.revoke ? 'gave the key back' : 'the key could not be given back'
