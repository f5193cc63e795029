<?php
/**
 * The webhook: decisions of the service as they are made, in the form of Standard Webhooks.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

const REST_SPACE   = 'comment-moderation/v1';
const WEBHOOK_SEEN = 'comment_moderation_webhook_seen';

/** Seconds by which the clocks may differ; an older message may be one that somebody recorded. */
const TOLERANCE = 300;

add_action( 'rest_api_init', __NAMESPACE__ . '\\register_webhook' );

/**
 * Registers the address.
 */
function register_webhook(): void {
	register_rest_route(
		REST_SPACE,
		'/webhook',
		array(
			'methods'             => 'POST',
			'callback'            => __NAMESPACE__ . '\\receive',
			'permission_callback' => __NAMESPACE__ . '\\is_signed',
		)
	);
}

/**
 * The address to give to the service.
 */
function webhook_url(): string {
	return rest_url( REST_SPACE . '/webhook' );
}

/**
 * Whether the message was signed with our secret, lately.
 *
 * @param \WP_REST_Request $request The message.
 * @return true|\WP_Error
 */
function is_signed( \WP_REST_Request $request ) {
	$secret    = secret_bytes( settings()['secret'] );
	$id        = (string) $request->get_header( 'webhook_id' );
	$timestamp = (string) $request->get_header( 'webhook_timestamp' );
	if ( '' !== $secret && '' !== $id && preg_match( '/^\d{1,12}$/', $timestamp ) && abs( time() - (int) $timestamp ) <= TOLERANCE ) {
		$content = $id . '.' . $timestamp . '.' . $request->get_body();
		// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- the form of Standard Webhooks.
		$expected = 'v1,' . base64_encode( hash_hmac( 'sha256', $content, $secret, true ) );
		foreach ( explode( ' ', (string) $request->get_header( 'webhook_signature' ) ) as $signature ) {
			if ( hash_equals( $expected, $signature ) ) {
				return true;
			}
		}
	}
	return new \WP_Error( 'comment_moderation_signature', __( 'The signature does not fit.', 'comment-moderation' ), array( 'status' => 401 ) );
}

/**
 * Applies a signed event. One of a comment that is not here any more is received all the same.
 *
 * @param \WP_REST_Request $request The message.
 * @return \WP_REST_Response|\WP_Error
 */
function receive( \WP_REST_Request $request ) {
	$event = json_decode( $request->get_body(), true );
	if ( ! is_array( $event ) || ( $event['id'] ?? null ) !== $request->get_header( 'webhook_id' ) ) {
		return new \WP_Error( 'comment_moderation_event', __( 'This is no event of the service.', 'comment-moderation' ), array( 'status' => 400 ) );
	}
	if ( (int) get_option( WEBHOOK_SEEN, 0 ) < time() - MINUTE_IN_SECONDS ) {
		update_option( WEBHOOK_SEEN, time(), false );
	}
	if ( health()['failures'] ) { // It lives again.
		delete_option( HEALTH );
		catch_up_at( time() );
	}
	apply_event( $event );
	return new \WP_REST_Response( null, 204 );
}
